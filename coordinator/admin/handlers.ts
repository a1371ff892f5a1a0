// The methods of AdminService. Who may call which stands in the .proto and is checked before a call comes here; what is checked here is
// that an operator speaks for nobody else.

import { asJobId, defined, LIMITS, type SiloId } from '../../src/base/index.js';
import { hash, LABELS } from '../../src/crypto/index.js';
import { lastRound, type ClosedRound, type CoordinatorJob, type CoordinatorRound } from '../../src/protocol/index.js';
import type { AdminCaller, AdminHandlers } from '../../src/transport/index.js';
import { decode, Job, JobKind, JobManifest, Round, type Envelope } from '../../src/wire/index.js';
import { AdminError } from './errors.js';
import { jobView } from './job-view.js';
import { pageOf } from './page.js';
import { isClosed, roundOf, roundsOf, roundView } from './round-view.js';
import type { AdminSource } from './source.js';
import { watchJob } from './watch.js';

export function adminHandlers(source: AdminSource): AdminHandlers {
  const connected = (silo: SiloId): boolean => source.connected(silo);
  return {
    putBlob: async (_caller, chunks) => ({ blob: await source.putBlob(chunks) }),

    createJob: async (caller, { manifest }) => {
      const signed = signedBy(caller, manifest);
      await source.createJob(signed);
      // The service has verified it, so it parses.
      const { jobId } = decode(JobManifest, 'manifest', signed.payload, LIMITS.manifestBytes);
      return { jobId, manifestHash: hash(LABELS.manifest, signed.payload) };
    },

    listJobs: async (_caller, request) => {
      const jobs = [...source.state().jobs.values()];
      const item = (at: number): Job => jobView(defined(jobs[at], 'a job of the list'));
      const page = pageOf({ name: 'jobs', length: jobs.length, item, codec: Job }, request);
      return Promise.resolve({ jobs: page.items, nextPageToken: page.nextPageToken });
    },

    getJob: async (_caller, { jobId }) => {
      const job = jobNamed(source, jobId);
      return Promise.resolve({ job: jobView(job), manifest: job.manifest.envelope });
    },

    listRounds: async (_caller, { jobId, ...request }) => {
      const job = jobNamed(source, jobId);
      const item = (at: number): Round => roundView(defined(roundOf(job, at + 1), 'a round of the list'), connected);
      const name = `rounds of ${job.manifest.jobId}`;
      const page = pageOf({ name, length: roundsOf(job), item, codec: Round }, request);
      return Promise.resolve({ rounds: page.items, nextPageToken: page.nextPageToken });
    },

    getRound: async (_caller, { jobId, round: number }) => {
      const round = roundNamed(jobNamed(source, jobId), number);
      const { cohort } = round.plan;
      const closed = isClosed(round) ? round : undefined;
      return Promise.resolve({
        round: roundView(round, connected),
        plan: round.plan.envelope,
        result: closed?.result?.envelope,
        abandon: closed?.abandon,
        acknowledgements: cohort.flatMap((silo) => closed?.acks.get(silo) ?? []),
      });
    },

    watchRounds: (_caller, { jobId }, signal) => {
      jobNamed(source, jobId);
      return watchJob(source, () => jobNamed(source, jobId), signal);
    },

    exportModel: (_caller, { jobId }) => {
      const job = jobNamed(source, jobId);
      if (job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS)
        throw new AdminError('admin/no-model', `job "${jobId}" sums up statistics and has no model.`);
      return source.exportModel(job);
    },

    exportSum: (_caller, { jobId, round: number }) => {
      const round = roundNamed(jobNamed(source, jobId), number);
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
  };
}

function signedBy({ role, id }: AdminCaller, manifest: Envelope | undefined): Envelope {
  if (manifest === undefined) throw new AdminError('admin/no-manifest', 'expected a signed manifest, got nothing.');
  if (manifest.signer !== `${role}/${id}`)
    throw new AdminError(
      'admin/wrong-operator',
      `${role}/${id} offers a manifest that names "${manifest.signer.slice(0, 80)}" as its signer.`,
    );
  return manifest;
}

function jobNamed(source: AdminSource, jobId: string): CoordinatorJob {
  const known = asJobId(jobId);
  const job = known === undefined ? undefined : source.state().jobs.get(known);
  if (job === undefined) throw new AdminError('admin/no-job', `there is no job "${jobId.slice(0, 80)}".`);
  return job;
}

function roundNamed(job: CoordinatorJob, number: number): ClosedRound | CoordinatorRound {
  const round = roundOf(job, number);
  if (round === undefined)
    throw new AdminError(
      'admin/no-round',
      `job "${job.manifest.jobId}" has had ${String(roundsOf(job))} of ${String(lastRound(job.manifest))} rounds, there is no round ${String(number)}.`,
    );
  return round;
}
