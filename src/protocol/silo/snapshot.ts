// The state of a silo between rounds, written down whole, so that the records it was folded from can be erased: with them go the secrets
// of every round that is closed. Possible only while no round is open, because what is open rests on those records.

import { asHash, asJobId, asSiloId, concat, unixMs, type JobId, type SiloId } from '../../base/index.js';
import type { Mechanism } from '../../privacy/index.js';
import {
  decode,
  encode,
  Erasure,
  SiloSnapshot,
  type Envelope,
  type KeptJob,
  type KeptMechanism,
  type KeptOpening,
  type KeptSum,
  type KeptUse,
  type KeptWitness,
  type SiloStateKept,
  type SiloSuccessorSigned,
} from '../../wire/index.js';
import { seal } from '../envelope.js';
import type { LedgerEntry, Unit } from '../ledger.js';
import { openManifest } from '../manifest.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner, type Roster } from '../roster.js';
import { chainOf, demandAbout, followChain, openSuccessorSignature, readSuccessor } from '../succession.js';
import { submit, type Accepted, type JournalledEvent } from './event.js';
import type { Decision, JobState, LastSum, Opening, SiloSelf, SiloState, WitnessState } from './state.js';

/** Bytes of one part: a record of the journal has room for it, and for a signed message. */
const PART_BYTES = 4 * 1024 * 1024;

/** Events that leave exactly this state when everything before them is forgotten. Throws Refusal `job/state` while a round is open. */
export function keptAs(state: SiloState): JournalledEvent[] {
  const bytes = encodeSnapshot(state);
  const events: JournalledEvent[] = [];
  for (let at = 0; at < bytes.length || events.length === 0; at += PART_BYTES) {
    const part = bytes.subarray(at, at + PART_BYTES);
    events.push({ $case: 'stateKept', value: { part, last: at + PART_BYTES >= bytes.length } });
  }
  return events;
}

/** The last part says what is erased: a signed message for the log, in which everybody can see that this silo keeps its word. */
export function onStateKept(
  state: SiloState,
  at: number,
  event: JournalledEvent,
  { part, last }: SiloStateKept,
): Accepted<SiloState> {
  const restoring = concat(state.restoring ?? new Uint8Array(), part);
  if (!last) return { state: { ...state, restoring }, effects: [{ kind: 'persist', event, emitted: [] }] };
  const { self } = state;
  const restored = decodeSnapshot(self, restoring);
  const rounds = [...restored.jobs.values()].map(({ manifest, closedRound }) => ({
    jobId: manifest.jobId,
    round: closedRound,
  }));
  const erased = seal(self.signingKey, siloSigner(self.siloId), 'erasure', Erasure, {
    siloId: self.siloId,
    atUnixMs: BigInt(at),
    closed: rounds.filter(({ round }) => round > 0),
  });
  return {
    state: { ...restored, erased },
    effects: [{ kind: 'persist', event, emitted: [erased] }, ...told({ ...restored, erased })],
  };
}

/** The last erasure is told again at each start, until the coordinator has answered; the same bytes are logged once. */
export function told({ self, erased }: SiloState): Accepted<SiloState>['effects'] {
  return erased === undefined || self.roster.logKey === undefined ? [] : [submit(erased)];
}

export function encodeSnapshot(state: SiloState): Uint8Array<ArrayBuffer> {
  // Every field of the state is here, or the compiler says so.
  const { self, jobs, openings, ledger, lastSums, recentPlans, witness, restoring, erased, ...more } = state;
  const { successor, ...rest } = more;
  rest satisfies Record<string, never>;
  demand(restoring === undefined, 'job/state', 'a snapshot is being read.', 'internal');
  return encode(SiloSnapshot, {
    siloId: self.siloId,
    jobs: [...jobs.values()].map(keptJob),
    openings: [...openings].map(([key, list]) => ({ key, openings: list.map(keptOpening) })),
    ledger: [...ledger].map(([dataSet, uses]) => ({ dataSet, uses: uses.map(keptUse) })),
    lastSums: [...lastSums].flatMap(([key, sums]) => sums.map((sum) => keptSum(key, sum))),
    recentPlans: recentPlans.map(BigInt),
    witness: keptWitness(witness),
    erased,
    // Of what the silo is, the roster in force alone comes from the journal: the pinned one and the policy are its configuration's.
    rosters: chainOf(self.roster).rosters,
    successor: successor && { signature: successor.envelope, roster: successor.roster },
  });
}

function keptJob(job: JobState): KeptJob {
  const { manifest, open, acks, models, rollbacks, closingAborts, decision, approval, dispute, unfit, ...more } = job;
  const { prepared, dataSet, modelHash, previousResultHash, closedRound, lastAckHash, stopped, ended, ...last } = more;
  const { forgottenSums, excluded, epoch, ...rest } = last;
  rest satisfies Record<string, never>;
  demand(open === undefined, 'job/state', `round ${String(open?.plan.round)} of "${manifest.jobId}" is open.`, 'state');
  return {
    prepared,
    dataSet,
    modelHash,
    previousResultHash,
    closedRound,
    lastAckHash,
    stopped,
    ended,
    forgottenSums: (forgottenSums ?? []).map(keptOpening),
    hasForgottenSums: forgottenSums !== undefined,
    excluded: [...(excluded ?? [])],
    epoch,
    hasExcluded: excluded !== undefined,
    manifest: manifest.envelope,
    decision,
    approval,
    dispute,
    unfit: unfit ?? '',
    acks: byRound(acks),
    models: [...models].map(([round, hash]) => ({ round, hash })),
    rollbacks: [...rollbacks],
    closingAborts: byRound(closingAborts),
  };
}

function byRound(messages: ReadonlyMap<number, Envelope>) {
  return [...messages].map(([round, envelope]) => ({ round, envelope }));
}

function keptOpening({ jobId, round, rid, attempt, n, graph, silos, ...rest }: Opening): KeptOpening {
  rest satisfies Record<string, never>;
  return { jobId, round, rid, attempt, n, graph, silos: [...silos] };
}

function keptSum(key: string, { jobId, round, silos, dataSetVersion, ...rest }: LastSum): KeptSum {
  rest satisfies Record<string, never>;
  return { key, jobId, round, silos: [...silos], dataSetVersion };
}

function keptUse({ jobId, mechanism, unit, rounds, lastRound, ...rest }: LedgerEntry): KeptUse {
  rest satisfies Record<string, never>;
  return { jobId, mechanism: mechanism && keptMechanism(mechanism), unit: unit ?? '', rounds, lastRound };
}

const NO_MECHANISM: KeptMechanism = {
  kind: '',
  variance: 0,
  l2: 0,
  dimensions: 0,
  contributors: 0,
  sampling: 0,
  noise: 0,
  steps: 0,
};

function keptMechanism(mechanism: Mechanism): KeptMechanism {
  if (mechanism.kind === 'sampled-gaussian') {
    const { kind, sampling, noise, steps, ...rest } = mechanism;
    rest satisfies Record<string, never>;
    return { ...NO_MECHANISM, kind, sampling, noise, steps };
  }
  const { kind, variance, l2, dimensions, contributors, ...rest } = mechanism;
  rest satisfies Record<string, never>;
  return { ...NO_MECHANISM, kind, variance, l2, dimensions, contributors };
}

function mechanismIn({
  kind,
  variance,
  l2,
  dimensions,
  contributors,
  sampling,
  noise,
  steps,
}: KeptMechanism): Mechanism {
  if (kind === 'sampled-gaussian') return { kind, sampling, noise, steps };
  demand(kind === 'skellam' || kind === 'discrete-gaussian', 'job/state', 'no mechanism.', 'internal');
  return { kind, variance, l2, dimensions, contributors };
}

const UNITS: readonly Unit[] = ['silo', 'record', 'patient'];

function keptWitness(witness: WitnessState): KeptWitness {
  const { range, size, roots, cosigners, hello, terminals, cosigned, sitsOut, forgotten, ...rest } = witness;
  rest satisfies Record<string, never>;
  return {
    range,
    size: BigInt(size),
    roots: [...roots].map(([at, root]) => ({ size: BigInt(at), root })),
    cosigners: [...cosigners].map(([at, silos]) => ({ size: BigInt(at), silos: [...silos] })),
    hello: hello?.envelope,
    // One more than the index; 0 before it was read.
    helloAt: BigInt((hello?.index ?? -1) + 1),
    terminals: [...terminals].map(([key, { digest, index }]) => ({ key, digest, index: BigInt(index) })),
    cosigned: cosigned?.envelope,
    cosignedSize: BigInt(cosigned?.size ?? 0),
    sitsOut: [...sitsOut].map(([jobId, round]) => ({ jobId, round })),
    forgotten: [...forgotten].map(([key, { released, summed, survivors, attempt, ...none }]) => {
      none satisfies Record<string, never>;
      return { key, released, summed, survivors: [...survivors], attempt };
    }),
  };
}

/** Throws Refusal `job/state` on what is no snapshot of this silo. */
export function decodeSnapshot(self: SiloSelf, bytes: Uint8Array): SiloState {
  const kept = decode(SiloSnapshot, 'snapshot', bytes, bytes.length);
  const { siloId, jobs, openings, ledger, lastSums, recentPlans, witness, erased, rosters, successor } = kept;
  demand(siloId === self.siloId, 'job/state', `the snapshot is of "${siloId}".`, 'internal');
  const roster = followChain(self.roster, { rosters });
  return {
    self: { ...self, roster },
    jobs: new Map(
      jobs.map((one) => {
        const job = jobState(roster, one);
        return [job.manifest.jobId, job];
      }),
    ),
    openings: new Map(openings.map(({ key, openings: list }) => [key, list.map(opening)])),
    ledger: new Map(ledger.map(({ dataSet, uses }) => [dataSet, uses.map(use)])),
    lastSums: sumsByKey(lastSums),
    recentPlans: recentPlans.map((at) => unixMs(Number(at))),
    witness: witnessState(demanded(witness, 'job/state', 'no witness.', 'internal')),
    ...(erased === undefined ? {} : { erased }),
    ...(successor === undefined ? {} : { successor: successorIn(roster, successor) }),
  };
}

/** Checked as when it was signed: it stands in the way of every other successor of the same roster. */
function successorIn(present: Roster, { signature, roster }: SiloSuccessorSigned): SiloState['successor'] {
  const signed = openSuccessorSignature(present, signature);
  demandAbout(signed, readSuccessor(present, roster));
  return { envelope: signed.envelope, roster };
}

const DECISIONS: readonly Decision[] = ['undecided', 'approved', 'refused'];

function jobState(roster: Roster, kept: KeptJob): JobState {
  const { manifest, decision, unfit, acks, models, rollbacks, closingAborts, modelHash, ...rest } = kept;
  const { previousResultHash, dispute, forgottenSums, hasForgottenSums, excluded, hasExcluded, ...plain } = rest;
  return {
    ...plain,
    manifest: openManifest(roster, manifest),
    decision: demanded(
      DECISIONS.find((one) => one === decision),
      'job/state',
      'no decision.',
      'internal',
    ),
    approval: plain.approval,
    unfit: unfit === '' ? undefined : unfit,
    modelHash: hashOf(modelHash),
    previousResultHash: hashOf(previousResultHash),
    open: undefined,
    acks: envelopes(acks),
    models: new Map(models.map(({ round, hash }) => [round, hashOf(hash)])),
    rollbacks: rollbacks.map(hashOf),
    closingAborts: envelopes(closingAborts),
    dispute,
    ...(hasForgottenSums ? { forgottenSums: forgottenSums.map(opening) } : {}),
    ...(hasExcluded ? { excluded: new Set(excluded.map(siloOf)) } : {}),
  };
}

function envelopes(kept: KeptJob['acks']): ReadonlyMap<number, Envelope> {
  return new Map(
    kept.map(({ round, envelope }) => [round, demanded(envelope, 'job/state', 'no message.', 'internal')]),
  );
}

function opening({ jobId, rid, silos, graph, ...rest }: KeptOpening): Opening {
  return { ...rest, graph, jobId: jobOf(jobId), rid: hashOf(rid), silos: silos.map(siloOf) };
}

function use({ jobId, mechanism, unit, rounds, lastRound }: KeptUse): LedgerEntry {
  return {
    jobId: jobOf(jobId),
    mechanism: mechanism === undefined ? undefined : mechanismIn(mechanism),
    unit: UNITS.find((one) => one === unit),
    rounds,
    lastRound,
  };
}

/** Snapshots of older versions hold one sum of each kind, the last. */
function sumsByKey(kept: readonly KeptSum[]): SiloState['lastSums'] {
  const sums = new Map<string, LastSum[]>();
  for (const sum of kept) sums.set(sum.key, [...(sums.get(sum.key) ?? []), lastSum(sum)]);
  return sums;
}

function lastSum({ jobId, round, silos, dataSetVersion }: KeptSum): LastSum {
  return { jobId: jobOf(jobId), round, silos: silos.map(siloOf), dataSetVersion };
}

function witnessState(kept: KeptWitness): WitnessState {
  const { range, size, roots, cosigners, hello, helloAt, terminals, cosigned, cosignedSize, sitsOut, forgotten } = kept;
  return {
    range,
    size: Number(size),
    roots: new Map(roots.map(({ size: at, root }) => [Number(at), root])),
    cosigners: new Map(cosigners.map(({ size: at, silos }) => [Number(at), new Set(silos.map(siloOf))])),
    ...(hello === undefined
      ? {}
      : { hello: { envelope: hello, ...(helloAt === 0n ? {} : { index: Number(helloAt) - 1 }) } }),
    terminals: new Map(terminals.map(({ key, digest, index }) => [key, { digest, index: Number(index) }])),
    ...(cosigned === undefined ? {} : { cosigned: { size: Number(cosignedSize), envelope: cosigned } }),
    sitsOut: new Map(sitsOut.map(({ jobId, round }) => [jobId, round])),
    forgotten: new Map(
      forgotten.map(({ key, survivors, ...facts }) => [key, { ...facts, survivors: survivors.map(siloOf) }]),
    ),
  };
}

function hashOf(bytes: Uint8Array) {
  return demanded(asHash(bytes), 'job/state', 'no hash of 32 bytes.', 'internal');
}

function jobOf(text: string): JobId {
  return demanded(asJobId(text), 'job/state', 'no job id.', 'internal');
}

function siloOf(text: string): SiloId {
  return demanded(asSiloId(text), 'job/state', 'no silo id.', 'internal');
}
