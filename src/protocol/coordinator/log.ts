// The transparency log of the coordinator: it grows with every accepted event, checkpoints are made of it, silos cosign them. Only the
// tree's right edge is kept here; the entries are appended by whoever runs the machine.

import { equalBytes, LIMITS, plusMs, unixMs, type SiloId, type UnixMs } from '../../base/index.js';
import {
  CompactRange,
  cosignedAt,
  formatNote,
  keyId,
  leafHash,
  logName,
  signCheckpoint,
} from '../../transcript/index.js';
import { Cosign, decode, Hello, type Envelope } from '../../wire/index.js';
import { bodyOf, hasQuorum, headOf, witnessKeyOf } from '../check/checkpoint.js';
import { equalEnvelopes, openEnvelope } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { ANSWERED, stored } from './change.js';
import { entriesOf, rosterEntry } from './entries.js';
import type { Accepted, CoordinatorEffect, CoordinatorEvent, TimedEvent } from './event.js';
import type {
  CoordinatorAttempt,
  CoordinatorJob,
  CoordinatorSelf,
  CoordinatorState,
  LogState,
  MadeCheckpoint,
} from './state.js';

/** Checkpoints that may still be cosigned. */
const OPEN_CHECKPOINTS = 4;
/** What comes within this time shares a checkpoint: many silos that start together need one, not one each. */
const GATHER_MS = 200;
/** While most silos still read and cosign the last checkpoint: another one every moment would only keep them from it. */
const BUSY_GATHER_MS = 5_000;
/** Between rounds: last Acks, exports, orders and erasures get their cosignatures, too, without anybody waiting for them. */
const IDLE_GATHER_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Who says Hello more often than this within an hour is waited for by no round: it would hold up all others for as long as it likes. */
const HELLOS_WAITED_FOR = 6;
/** After a checkpoint was made, before a round does without the cosignature of somebody who had time enough for an earlier one. */
const COSIGN_GRACE_MS = 1_000;

/** The log before the first event: it holds the roster. Undefined where the consortium keeps none. */
export function initialLog({ roster }: CoordinatorSelf): LogState | undefined {
  if (roster.logKey === undefined) return undefined;
  const range = CompactRange.EMPTY.append(leafHash(firstEntry(roster.hash))).range;
  return { range, checkpoints: [], hellos: new Map() };
}

/** Entry 0, which no event adds. */
export function firstEntry(rosterHash: CoordinatorSelf['roster']['hash']): Uint8Array {
  return rosterEntry(rosterHash, unixMs(0));
}

/** Adds an accepted event's entries to its state and effects; a round that was closed has its checkpoint made at once. */
export function logged(
  before: CoordinatorState,
  timed: TimedEvent,
  { state, effects }: Accepted<CoordinatorState>,
): Accepted<CoordinatorState> {
  if (state.log === undefined) return { state, effects };
  const entries = entriesOf(before, timed, state, effects);
  if (entries.length === 0) return { state, effects };
  const first = state.log.range.size;
  let { range } = state.log;
  for (const entry of entries) range = range.append(leafHash(entry)).range;
  const wantedSince = state.log.wantedSince ?? timed.at;
  const terminal = closedRounds(before) < closedRounds(state);
  const grown: CoordinatorState = {
    ...withLoggedRounds(before, state, range.size - 1),
    log: { ...withHello(state, timed, first), range, wantedSince },
  };
  const next = terminal ? checkpointed(grown, timed.at) : grown;
  const append: CoordinatorEffect = { kind: 'append', first, entries };
  return {
    state: next,
    effects: effects.flatMap((one): CoordinatorEffect[] => (one.kind === 'persist' ? [one, append] : [one])),
  };
}

function closedRounds({ jobs }: CoordinatorState): number {
  let count = 0;
  for (const { closed } of jobs.values()) count += closed.length;
  return count;
}

/** A terminal entry is the last one of its event. */
function withLoggedRounds(before: CoordinatorState, state: CoordinatorState, index: number): CoordinatorState {
  const jobs = new Map(state.jobs);
  for (const [id, job] of jobs) {
    const last = job.closed.at(-1);
    if (last === undefined || job.closed.length === (before.jobs.get(id)?.closed.length ?? 0)) continue;
    jobs.set(id, { ...job, closed: [...job.closed.slice(0, -1), { ...last, loggedAt: index }] });
  }
  return { ...state, jobs };
}

function withHello({ log, events }: CoordinatorState, { at, event }: TimedEvent, index: number): LogState {
  // The caller has made sure that there is a log.
  const kept = log as LogState;
  if (event.$case !== 'messageReceived') return kept;
  const { envelope, siloId } = event.value;
  if (envelope?.type !== 'hello') return kept;
  const silo = siloId as SiloId;
  const recent = [...recentOf(kept, silo, at), at];
  return {
    ...kept,
    hellos: new Map(kept.hellos).set(silo, { envelope, index, by: events, read: readBy(envelope), at, recent }),
  };
}

/** How many entries a silo had read by its Hello. Throws Refusal `log/note`. */
function readBy({ payload }: Envelope): number {
  const { checkpoint } = decode(Hello, 'hello', payload);
  return checkpoint.length === 0 ? 0 : headOf(checkpoint).size;
}

function recentOf({ hellos }: LogState, silo: SiloId, at: UnixMs): UnixMs[] {
  return (hellos.get(silo)?.recent ?? []).filter((time) => at - time < HOUR_MS);
}

/** The same Hello again, after a lost answer, stands in the log already: only a new one is a new entry. */
export function onHello(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const log = demanded(state.log, 'message/unexpected', 'the consortium keeps no transparency log.', 'state');
  const { message } = openEnvelope(state.self.roster, envelope, { type: 'hello', signer: siloSigner(silo) }, Hello);
  demand(message.siloId === silo, 'envelope/wrong-signer', `the Hello of ${silo} names another silo.`);
  readBy(envelope);
  const before = log.hellos.get(silo)?.envelope;
  if (before !== undefined && equalEnvelopes(before, envelope)) return { state, effects: [ANSWERED] };
  const recent = recentOf(log, silo, at).length;
  demand(
    recent < LIMITS.hellosPerHour,
    'log/hello-often',
    `${silo} said Hello ${String(recent)} times within an hour, ${String(LIMITS.hellosPerHour)} are allowed.`,
    'limit',
  );
  return stored(state, event);
}

export function onCosign(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const log = demanded(state.log, 'message/unexpected', 'the consortium keeps no transparency log.', 'state');
  const { roster } = state.self;
  const { message } = openEnvelope(roster, envelope, { type: 'cosign', signer: siloSigner(silo) }, Cosign);
  const at = log.checkpoints.findIndex((one) => equalBytes(bodyOf(roster, one), message.checkpoint));
  const checkpoint = log.checkpoints[at];
  // A newer one has taken its place: nothing is missed.
  if (checkpoint === undefined || checkpoint.cosignatures.has(silo)) return { state, effects: [ANSWERED] };
  const witness = witnessKeyOf(roster, silo);
  demand(
    cosignedAt(checkpoint.note.text, message.cosignature, witness) !== undefined,
    'log/cosignature',
    `the cosignature of ${silo} does not verify with the key that the roster has.`,
  );
  const line = { name: witness.name, keyId: keyId('cosignature', witness), signature: message.cosignature };
  const cosignatures = new Map(checkpoint.cosignatures).set(silo, { envelope, line });
  const counted = { ...checkpoint, cosignatures };
  const reached = [...state.jobs.values()].some(
    (job) => (!witnessed(job, checkpoint) && witnessed(job, counted)) || isLast(job, silo, counted),
  );
  const changed: MadeCheckpoint = reached ? { ...counted, quorumBy: state.events } : counted;
  const checkpoints = log.checkpoints.map((one, k) => (k === at ? changed : one));
  const done = stored({ ...state, log: { ...log, checkpoints } }, event);
  // Silos may finish an older one after a newer: what was published is never taken back.
  const isNewest = checkpoints.every((one) => one.quorumBy === undefined || one.size <= changed.size);
  if (!reached || !isNewest) return done;
  return { state: done.state, effects: [...done.effects, { kind: 'publish', note: noteOf(changed) }] };
}

/** A silo that assumes more malicious ones than the manifest does waits for a larger quorum: it is shown when all have cosigned. */
function isLast({ manifest }: CoordinatorJob, silo: SiloId, { cosignatures }: MadeCheckpoint): boolean {
  return manifest.silos.includes(silo) && manifest.silos.every((one) => cosignatures.has(one));
}

/** What has been added waits to be cosigned. */
export function onCheckpointMade(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  demand(state.log?.wantedSince !== undefined, 'job/state', 'nothing waits for a checkpoint.', 'state');
  return stored(checkpointed(state, at), event);
}

function checkpointed(state: CoordinatorState, at: UnixMs): CoordinatorState {
  const { log, self } = state;
  if (log === undefined) return state;
  const key = demanded(self.logKey, 'job/state', 'the coordinator has no log key.', 'internal');
  const head = { size: log.range.size, root: log.range.root() };
  const note = signCheckpoint({ origin: logName(self.roster.consortiumId), ...head }, key);
  const made: MadeCheckpoint = { ...head, note, madeBy: state.events, madeAt: at, cosignatures: new Map() };
  const checkpoints = [...log.checkpoints, made];
  // What a job rests on stays until something newer has its quorum.
  const needed = new Set(
    [...state.jobs.values()].flatMap((job) => [
      newestWitnessed({ ...log, checkpoints }, job),
      job.open === undefined ? undefined : checkpointOf({ ...state, log }, job.open.attempt),
    ]),
  );
  const kept = checkpoints.filter((one, k) => k >= checkpoints.length - OPEN_CHECKPOINTS || needed.has(one));
  return { ...state, log: { ...log, checkpoints: kept, wantedSince: undefined } };
}

/** When a checkpoint is due, or when to ask again. */
export function dueCheckpoint(
  { log, jobs }: CoordinatorState,
  now: UnixMs,
): { readonly event?: CoordinatorEvent; readonly again?: UnixMs } {
  if (log?.wantedSince === undefined) return {};
  // Somebody waits: who has started, and what a first round rests on.
  const newest = log.checkpoints.at(-1)?.size ?? 0;
  const waits = newest === 0 || [...log.hellos.values()].some(({ index }) => index >= newest);
  // An open round makes its own checkpoint when it ends.
  if (!waits && [...jobs.values()].some(({ open }) => open !== undefined)) return {};
  const last = log.checkpoints.at(-1);
  const busy = last !== undefined && 2 * last.cosignatures.size < log.hellos.size;
  const soon = busy ? plusMs(last.madeAt, BUSY_GATHER_MS) : plusMs(log.wantedSince, GATHER_MS);
  const at = waits ? soon : plusMs(log.wantedSince, IDLE_GATHER_MS);
  return now >= at ? { event: { $case: 'checkpointMade', value: {} } } : { again: at };
}

function witnessed(job: CoordinatorJob, { cosignatures }: MadeCheckpoint): boolean {
  return hasQuorum(job.manifest, job.manifest.maxMalicious, new Set(cosignatures.keys()));
}

/** The newest checkpoint that a quorum of the job's silos stands behind. */
export function newestWitnessed(log: LogState, job: CoordinatorJob): MadeCheckpoint | undefined {
  return log.checkpoints.findLast((one) => witnessed(job, one));
}

/** Every silo is shown the same bytes: they are made once for each state of a checkpoint, which never changes. */
const notes = new WeakMap<MadeCheckpoint, Uint8Array<ArrayBuffer>>();

/** The checkpoint as silos and auditors get it: the log's signature and all cosignatures that have come, one of each witness. */
export function noteOf(made: MadeCheckpoint): Uint8Array<ArrayBuffer> {
  const known = notes.get(made);
  if (known !== undefined) return known;
  const { text, signatures } = made.note;
  const lines = [...made.cosignatures.values()].map(({ line }) => line);
  const bytes = formatNote({ text, signatures: [...signatures, ...lines] });
  notes.set(made, bytes);
  return bytes;
}

/** What an attempt of the job may rest on now: its bytes in AttemptStart. */
export function checkpointFor(state: CoordinatorState, job: CoordinatorJob): Uint8Array {
  if (state.log === undefined) return new Uint8Array();
  const checkpoint = newestWitnessed(state.log, job);
  demand(checkpoint !== undefined, 'log/no-quorum', 'no checkpoint has a quorum of the silos of the job.', 'state');
  return bodyOf(state.self.roster, checkpoint);
}

/** The checkpoint that an attempt rests on. */
export function checkpointOf(
  { log, self }: CoordinatorState,
  { context }: CoordinatorAttempt,
): MadeCheckpoint | undefined {
  return log?.checkpoints.find((one) => equalBytes(bodyOf(self.roster, one), context.attempt.checkpoint));
}

/** Whether the next round can rest on a checkpoint: it holds the end of the last one and the Hello of whoever is to take part. */
export function mayRest(state: CoordinatorState, job: CoordinatorJob, cohort: readonly SiloId[], now: UnixMs): boolean {
  const { log } = state;
  if (log === undefined) return true;
  const checkpoint = newestWitnessed(log, job);
  const size = checkpoint?.size ?? 0;
  const last = job.closed.at(-1);
  // Somebody whose Hello still waits for its quorum, or who has not read the checkpoint yet, is waited for, but not for ever.
  const patience = job.manifest.message.timeouts?.absentAfterMs ?? 0;
  // Counted from the end of the last round, not from the newest checkpoint: others make new ones by their Hellos.
  const patient = now < plusMs(last?.endedAt ?? job.createdAt, patience);
  return (
    checkpoint !== undefined &&
    size > (last?.loggedAt ?? 0) &&
    cohort.every((silo) => {
      const hello = log.hellos.get(silo);
      if (recentOf(log, silo, now).length > HELLOS_WAITED_FOR) return true;
      const graceOver = !patient && now >= plusMs(checkpoint.madeAt, COSIGN_GRACE_MS);
      const read = checkpoint.cosignatures.has(silo) || graceOver;
      // One that has never said Hello has just started: what rests on a checkpoint before its Hello it would sit out.
      const said = hello === undefined ? !patient : hello.index < size || now >= plusMs(hello.at, patience);
      return read && said;
    })
  );
}
