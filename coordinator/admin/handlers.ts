// The methods of AdminService. Who may call which stands in the .proto and is checked before a call comes here; what is checked here is
// that an operator speaks for nobody else.

import { defined, LIMITS, type SiloId } from '../../src/base/index.js';
import { hash, LABELS } from '../../src/crypto/index.js';
import { chainOf, ordersOf, type Roster } from '../../src/protocol/index.js';
import type { AdminCaller, AdminHandlers } from '../../src/transport/index.js';
import {
  Act,
  Artefact,
  decode,
  GetRoundResponse,
  Job,
  JobKind,
  JobManifest,
  LedgerLine,
  Order,
  Participation,
  Round,
  SignedRoster,
  Silo,
  TakenOrder,
  type Envelope,
  type GetLedgerRequest,
  type GetLedgerResponse,
} from '../../src/wire/index.js';
import { recorded } from './acts.js';
import { artefactBytes, artefactsOf, demandKept, demandReader, forwardModel } from './artefacts.js';
import { AdminError } from './errors.js';
import { demandFields, masked } from './fields.js';
import { inRange, jobNamed, roundNamed, siloNamed } from './find.js';
import { JOB_STATES, jobView } from './job-view.js';
import { ledgerLine } from './ledger.js';
import { logHandlers } from './log.js';
import { pageOf, sizeOf, startOf } from './page.js';
import { participationIn } from './participation.js';
import { roundFilter } from './round-filter.js';
import { isClosed, roundOf, roundsOf, roundView } from './round-view.js';
import { siloView } from './silo-view.js';
import type { AdminSource } from './source.js';
import { watchJob } from './watch.js';

export function adminHandlers(source: AdminSource): AdminHandlers {
  return recorded(source, {
    ...actHandlers(source),
    ...jobHandlers(source),
    ...roundHandlers(source),
    ...siloHandlers(source),
    ...serverHandlers(source),
    ...exportHandlers(source),
    ...logHandlers(source),
  });
}

function actHandlers(source: AdminSource): Pick<AdminHandlers, 'putBlob' | 'createJob' | 'giveOrder'> {
  return {
    putBlob: async (_caller, chunks) => ({ blob: await source.putBlob(chunks) }),

    createJob: async (caller, { manifest }) => {
      const signed = signedBy(caller, manifest, 'manifest');
      await source.createJob(signed);
      // The service has verified it, so it parses.
      const { jobId } = decode(JobManifest, 'manifest', signed.payload, LIMITS.manifestBytes);
      return { jobId, manifestHash: hash(LABELS.manifest, signed.payload) };
    },

    giveOrder: async (caller, { order }) => {
      const signed = signedBy(caller, order, 'order');
      await source.giveOrder(signed);
      return { number: decode(Order, 'order', signed.payload).number };
    },
  };
}

function jobHandlers(source: AdminSource): Pick<AdminHandlers, 'listJobs' | 'getJob' | 'listOrders'> {
  return {
    listJobs: async (_caller, { states, fields, ...request }) => {
      demandFields(Job, fields);
      const jobs = [...source.state().jobs.values()];
      const at = (position: number) => defined(jobs[position], 'a job of the list');
      const item = (position: number): Job => masked(Job, jobView(at(position)), fields);
      const keep = (position: number): boolean => states.includes(JOB_STATES[at(position).status]);
      const name = states.length === 0 ? 'jobs' : `jobs in ${states.join(' ')}`;
      const filter = states.length === 0 ? {} : { keep };
      const page = pageOf({ name, length: jobs.length, item, codec: Job, ...filter }, request);
      return Promise.resolve({ jobs: page.items, nextPageToken: page.nextPageToken });
    },

    getJob: async (_caller, { jobId }) => {
      const job = jobNamed(source, jobId);
      const orders = ordersOf(source.state(), jobId).map(({ envelope }) => envelope);
      return Promise.resolve({ job: jobView(job), manifest: job.manifest.envelope, orders });
    },

    listOrders: async (_caller, request) => {
      const { orders } = source.state();
      const item = (at: number): TakenOrder => {
        const { at: taken, order } = defined(orders[at], 'an order of the list');
        return { number: order.number, takenUnixMs: BigInt(taken), order: order.envelope };
      };
      const page = pageOf({ name: 'orders', length: orders.length, item, codec: TakenOrder }, request);
      return Promise.resolve({ orders: page.items, nextPageToken: page.nextPageToken });
    },
  };
}

function roundHandlers(
  source: AdminSource,
): Pick<AdminHandlers, 'listRounds' | 'getRound' | 'watchRounds' | 'getParticipation' | 'getLedger'> {
  const connected = (silo: SiloId): boolean => source.connected(silo);
  return {
    listRounds: async (_caller, { jobId, fields, pageSize, pageToken, ...filter }) => {
      demandFields(Round, fields);
      const job = jobNamed(source, jobId);
      const at = (position: number) => defined(roundOf(job, position + 1), 'a round of the list');
      const item = (position: number): Round => masked(Round, roundView(at(position), connected), fields);
      const { words, keeps } = roundFilter(filter);
      const keep = (position: number): boolean => keeps(at(position));
      const name = `rounds of ${job.manifest.jobId}${words}`;
      const page = pageOf({ name, length: roundsOf(job), item, codec: Round, keep }, { pageSize, pageToken });
      return Promise.resolve({ rounds: page.items, nextPageToken: page.nextPageToken });
    },

    getRound: async (_caller, { jobId, round: number, fields }) => {
      const job = jobNamed(source, jobId);
      const round = roundNamed(job, number);
      const { cohort } = round.plan;
      const closed = isClosed(round) ? round : undefined;
      const answer: GetRoundResponse = {
        round: roundView(round, connected),
        plan: round.plan.envelope,
        result: closed?.result?.envelope,
        abandon: closed?.abandon,
        acknowledgements: cohort.flatMap((silo) => closed?.acks.get(silo) ?? []),
        disputes: cohort.flatMap((silo) => closed?.disputes.get(silo) ?? []),
        artefacts: artefactsOf(source, job, round),
      };
      return Promise.resolve(masked(GetRoundResponse, answer, fields));
    },

    watchRounds: (_caller, { jobId }, signal) => {
      jobNamed(source, jobId);
      return watchJob(source, () => jobNamed(source, jobId), signal);
    },

    getLedger: async (_caller, request) => Promise.resolve(ledgerPage(source, request)),

    getParticipation: async (_caller, { jobId, pageSize, pageToken, ...range }) => {
      const job = jobNamed(source, jobId);
      const within = inRange(range);
      const item = (at: number): Participation =>
        participationIn(job, defined(roundOf(job, at + 1), 'a round of the list'));
      const keep = (at: number): boolean => within(at + 1);
      const name = `participation in ${jobId} ${String(range.firstRound)}-${String(range.lastRound)}`;
      const list = { name, length: roundsOf(job), item, codec: Participation, keep };
      const page = pageOf(list, { pageSize, pageToken });
      return Promise.resolve({
        silos: [...job.manifest.silos],
        rounds: page.items,
        nextPageToken: page.nextPageToken,
      });
    },
  };
}

function ledgerPage(source: AdminSource, { jobId, pageSize, pageToken }: GetLedgerRequest): GetLedgerResponse {
  const jobs = jobId === '' ? [...source.state().jobs.values()] : [jobNamed(source, jobId)];
  const all = jobs.flatMap((job) => job.manifest.silos.map((silo) => ({ job, silo })));
  const lines = new Map<number, LedgerLine | undefined>();
  const lineAt = (at: number): LedgerLine | undefined => {
    const { job, silo } = defined(all[at], 'a silo of a job');
    if (!lines.has(at)) lines.set(at, ledgerLine(job, silo));
    return lines.get(at);
  };
  const list = {
    name: jobId === '' ? 'ledger' : `ledger of ${jobId}`,
    length: all.length,
    item: (at: number) => defined(lineAt(at), 'a line of the ledger'),
    keep: (at: number) => lineAt(at) !== undefined,
    codec: LedgerLine,
  };
  const page = pageOf(list, { pageSize, pageToken });
  return { lines: page.items, nextPageToken: page.nextPageToken };
}

function siloHandlers(source: AdminSource): Pick<AdminHandlers, 'listSilos' | 'getSilo'> {
  return {
    listSilos: async (_caller, { fields, ...request }) => {
      demandFields(Silo, fields);
      // The roster is sorted by silo id.
      const silos = [...source.state().self.roster.members.keys()];
      const item = (at: number): Silo =>
        masked(Silo, siloView(source, defined(silos[at], 'a silo of the list')), fields);
      const page = pageOf({ name: 'silos', length: silos.length, item, codec: Silo }, request);
      return Promise.resolve({ silos: page.items, nextPageToken: page.nextPageToken });
    },

    getSilo: async (_caller, { siloId }) => {
      const silo = siloNamed(source, siloId);
      const deniedBy = source.state().denied.get(silo)?.order.envelope;
      return Promise.resolve({ silo: siloView(source, silo), deniedBy });
    },
  };
}

function serverHandlers(source: AdminSource): Pick<AdminHandlers, 'getServerInfo' | 'listActs'> {
  return {
    getServerInfo: async (_caller, { afterEpoch }) => {
      const { self, jobs, orders, denied, events } = source.state();
      const { roster } = self;
      const silos = [...roster.members.keys()];
      const { server } = source;
      return Promise.resolve({
        version: server.version,
        consortiumId: roster.consortiumId,
        rosterHash: roster.hash,
        rosterEpoch: roster.epoch,
        silos: silos.length,
        silosConnected: silos.filter((silo) => source.connected(silo)).length,
        silosDenied: denied.size,
        jobs: jobs.size,
        orders: BigInt(orders.length),
        events: BigInt(events),
        startedUnixMs: BigInt(server.startedAt),
        nowUnixMs: BigInt(source.now()),
        certificateNotAfterUnixMs: BigInt(server.certificateNotAfter()),
        successors: successorsAfter(roster, afterEpoch),
      });
    },

    listActs: async (_caller, request) => {
      const list = { name: 'acts', length: source.acts.count() };
      const from = startOf(list, request.pageToken);
      const records = await source.acts.read(from + 1, sizeOf(request));
      const item = (at: number): Act => {
        const { atUnixMs, actor, method, about } = defined(records[at - from], 'an act of the list');
        return { number: BigInt(at + 1), atUnixMs, actor, method, about };
      };
      const page = pageOf({ ...list, item, codec: Act }, request);
      return { acts: page.items, nextPageToken: page.nextPageToken };
    },
  };
}

/** As many as a page holds. */
function successorsAfter(roster: Roster, epoch: bigint): SignedRoster[] {
  const { rosters } = chainOf(roster);
  // The chain ends with the roster in force, and each is one epoch behind the next.
  const before = rosters.length - Number(roster.epoch > epoch ? roster.epoch - epoch : 0n);
  const list = { name: 'successors', length: rosters.length, from: Math.max(0, before), codec: SignedRoster };
  const item = (at: number): SignedRoster => defined(rosters[at], 'a roster of the chain');
  return pageOf({ ...list, item }, { pageSize: 0, pageToken: '' }).items;
}

function exportHandlers(source: AdminSource): Pick<AdminHandlers, 'exportModel' | 'exportSum' | 'exportArtefact'> {
  return {
    exportModel: (caller, { jobId, state }) => {
      const job = jobNamed(source, jobId);
      demandReader(source, caller, 'models');
      if (job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS)
        throw new AdminError('admin/no-model', `job "${jobId}" sums up statistics and has no model.`);
      return state ? source.exportState(job) : source.exportModel(job);
    },

    exportSum: (caller, { jobId, round: number }) => {
      const round = roundNamed(jobNamed(source, jobId), number);
      demandKept(source, caller, round, Artefact.ARTEFACT_OPENED_SUM);
      const opened = isClosed(round) ? round.result?.opened : undefined;
      if (opened === undefined)
        throw new AdminError(
          'admin/no-sum',
          isClosed(round)
            ? `round ${String(number)} of job "${jobId}" was abandoned.`
            : `round ${String(number)} of job "${jobId}" is still open.`,
        );
      return source.readBlob(opened);
    },

    exportArtefact: (caller, { jobId, round: number, artefact, index }) => {
      const job = jobNamed(source, jobId);
      if (artefact === Artefact.ARTEFACT_FORWARD_MODEL && number === 0) return forwardModel(source, job);
      const round = roundNamed(job, number);
      demandKept(source, caller, round, artefact);
      return artefactBytes(source, job, round, { artefact, index });
    },
  };
}

function signedBy({ role, id }: AdminCaller, signed: Envelope | undefined, what: 'manifest' | 'order'): Envelope {
  if (signed === undefined)
    throw new AdminError(
      what === 'manifest' ? 'admin/no-manifest' : 'admin/no-order',
      `expected a signed ${what}, got nothing.`,
    );
  if (signed.signer !== `${role}/${id}`)
    throw new AdminError(
      'admin/wrong-operator',
      `${role}/${id} offers a ${what} that names "${signed.signer.slice(0, 80)}" as its signer.`,
    );
  return signed;
}
