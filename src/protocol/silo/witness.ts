// The silo as a witness of the transparency log (docs/protocol.md §4): it reads every entry, cosigns what extends what it had read, and
// takes part only on a checkpoint that holds its own Hello and that a quorum of the job's silos has cosigned.

import { asJobId, asSiloId, equalBytes, hex, LIMITS, type SiloId, type UnixMs } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import { CompactRange, cosign, verifyConsistency, witnessName } from '../../transcript/index.js';
import { Cosign, encode, Envelope, Hello, type SiloCheckpointRead, type SiloHelloMade } from '../../wire/index.js';
import { bodyOf, demandSameRoot, hasQuorum, headOf, openNote, type OpenedCheckpoint } from '../check/checkpoint.js';
import { seal } from '../envelope.js';
import { lastRound, type Manifest } from '../manifest.js';
import type { Attempt, Plan } from '../plan.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { told } from './snapshot.js';
import { effectiveMalicious, type JobState, type SiloState, type WitnessState } from './state.js';

/** Checkpoints that are remembered: a directive rests on one that was shown lately, or comes with it. */
const REMEMBERED = 32;

export const UNREAD_LOG: WitnessState = {
  range: CompactRange.EMPTY.encode(),
  size: 0,
  roots: new Map(),
  cosigners: new Map(),
  terminals: new Map(),
  sitsOut: new Map(),
  forgotten: new Map(),
};

/** Name of a round among the terminal entries. */
export function roundKey(jobId: string, round: number): string {
  return `${jobId}/${String(round)}`;
}

/** How the log names a signed message that is too large for an entry, and how this silo remembers one that is not. */
export function envelopeDigest(envelope: Envelope): Uint8Array {
  return sha256(encode(Envelope, envelope));
}

/** Each start of the program says Hello; before it is read in the log, under a quorum, nothing new is promised. */
export function onHelloMade(state: SiloState, event: JournalledEvent, value: SiloHelloMade): Accepted<SiloState> {
  const { self, witness } = state;
  if (self.roster.logKey === undefined) return { state, effects: [] };
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'hello', Hello, {
    siloId: self.siloId,
    nonce: value.nonce,
    checkpoint: newestBody(state),
  });
  return {
    state: { ...state, witness: { ...witness, hello: { envelope } } },
    effects: [{ kind: 'persist', event, emitted: [envelope] }, submit(envelope), ...told(state)],
  };
}

/** Body of the newest checkpoint that was read; empty before the first and where no log is kept. */
export function newestBody({ self, witness }: SiloState): Uint8Array {
  if (self.roster.logKey === undefined || witness.size === 0) return new Uint8Array();
  return bodyOf(self.roster, { size: witness.size, root: CompactRange.decode(witness.range).root() });
}

/**
 * Everything up to a checkpoint was read: by then the entries were hashed onto the range that was known, so the log extends it. Shown
 * again, with more cosignatures, it counts those. One that was passed unseen, because a newer one was shown first, is known from a proof
 * that the log as it was read begins with it.
 */
export function onCheckpointRead(
  state: SiloState,
  at: UnixMs,
  event: JournalledEvent,
  value: SiloCheckpointRead,
): Accepted<SiloState> {
  const { self, witness } = state;
  const checkpoint = openNote(self.roster, value.note);
  demandSameRoot(witness.roots.get(checkpoint.size), checkpoint);
  const before = witness.cosigners.get(checkpoint.size) ?? new Set<SiloId>();
  const cosigners = new Set([...before, ...checkpoint.cosigners]);
  const counted = {
    ...witness,
    roots: withLatest(witness.roots, checkpoint.size, hex(checkpoint.root)),
    cosigners: withLatest(witness.cosigners, checkpoint.size, cosigners),
  };
  if (checkpoint.size <= witness.size && witness.size > 0) {
    if (!witness.roots.has(checkpoint.size)) {
      demandPassed(witness, checkpoint, value.proof);
      return awakened(state, { ...state, witness: counted }, event, [], []);
    }
    const again = checkpoint.cosigners.has(self.siloId) ? [] : resent(counted, checkpoint.size);
    if (cosigners.size === before.size) return { state, effects: again };
    return awakened(state, { ...state, witness: counted }, event, [], again);
  }
  const range = orBadRange(value.range);
  demand(
    value.from === BigInt(witness.size) && range.size === checkpoint.size && equalBytes(range.root(), checkpoint.root),
    'log/root',
    `the entries up to ${String(checkpoint.size)} do not give the root of the checkpoint.`,
  );
  const envelope = cosigned(state, checkpoint, at);
  const read: WitnessState = {
    ...counted,
    range: value.range,
    size: checkpoint.size,
    terminals: withTerminals(state, value),
    sitsOut: withUnknown(witness.sitsOut, value),
    forgotten: withForgotten(state, value),
    cosigned: { size: checkpoint.size, envelope },
    // Its first entry counts: what the log said up to there was said after this start.
    ...(witness.hello !== undefined && witness.hello.index === undefined && value.helloAt > 0n
      ? { hello: { ...witness.hello, index: Number(value.helloAt) - 1 } }
      : {}),
  };
  const notices = value.unknown.map(
    ({ jobId, round, act }): SiloEffect => ({
      kind: 'notice',
      jobId: demanded(asJobId(jobId), 'log/entry', `"${jobId}" is no job id.`),
      round,
      code: 'log/rolled-back',
      detail: `the log holds a ${act} of this silo that its journal does not know: its disk was set back, and it sits this round out.`,
    }),
  );
  return awakened(state, { ...state, witness: read }, event, [envelope], [submit(envelope), ...notices]);
}

function demandPassed({ range, size }: WitnessState, checkpoint: OpenedCheckpoint, proof: readonly Uint8Array[]): void {
  demand(
    verifyConsistency(checkpoint.size, size, proof, checkpoint.root, CompactRange.decode(range).root()),
    'log/shrunk',
    `this silo has read the log up to ${String(size)} entries, and nothing shows that they begin with the ${String(checkpoint.size)} of this checkpoint.`,
    'state',
  );
}

function orBadRange(bytes: Uint8Array): CompactRange {
  return CompactRange.decode(bytes);
}

function cosigned({ self }: SiloState, checkpoint: OpenedCheckpoint, at: UnixMs): Envelope {
  const key = demanded(
    self.cosigningKey,
    'log/note',
    'this silo has no cosigning key: see keys.cosigning.',
    'internal',
  );
  const text = new TextDecoder('utf-8', { fatal: true }).decode(checkpoint.body);
  const name = witnessName(self.roster.consortiumId, self.siloId);
  const { signature } = cosign(text, name, key, Math.floor(at / 1000));
  return seal(self.signingKey, siloSigner(self.siloId), 'cosign', Cosign, {
    checkpoint: checkpoint.body,
    cosignature: signature,
  });
}

function resent({ cosigned: last }: WitnessState, size: number): SiloEffect[] {
  return last?.size === size ? [submit(last.envelope)] : [];
}

/** Directives that were refused for want of a quorum are asked for again once there is one. */
function awakened(
  before: SiloState,
  after: SiloState,
  event: JournalledEvent,
  emitted: readonly Envelope[],
  effects: readonly SiloEffect[],
): Accepted<SiloState> {
  const wakes = [...after.jobs.values()].some((job) => !isAwake(before, job) && isAwake(after, job));
  return {
    state: after,
    effects: [
      { kind: 'persist', event, emitted },
      ...effects,
      ...(wakes ? [{ kind: 'watch-anew' } as const satisfies SiloEffect] : []),
    ],
  };
}

/** The first terminal entry of a round counts; rounds that are closed here, or that a job does not have, need none. */
function withTerminals({ jobs, witness }: SiloState, value: SiloCheckpointRead): WitnessState['terminals'] {
  const terminals = new Map(witness.terminals);
  for (const { jobId, round, digest, index } of value.terminals) {
    const id = asJobId(jobId);
    const job = id === undefined ? undefined : jobs.get(id);
    if (job !== undefined && round > lastRound(job.manifest)) continue;
    const key = roundKey(jobId, round);
    if (!terminals.has(key)) terminals.set(key, { digest, index: Number(index) });
  }
  for (const { manifest, closedRound } of jobs.values()) {
    // The next plan still rests on the last one.
    for (let round = closedRound - 1; terminals.delete(roundKey(manifest.jobId, round)); round--);
  }
  forgetStrange(terminals, jobs);
  return terminals;
}

/**
 * A job of this silo may be read of before it is offered, so its rounds are remembered; most that it does not know are jobs of others, and
 * the log grows without end. The oldest go.
 */
function forgetStrange(terminals: Map<string, { readonly index: number }>, jobs: SiloState['jobs']): void {
  const known = new Set<string>([...jobs.keys()]);
  const strange = [...terminals].filter(([key]) => !known.has(key.slice(0, key.lastIndexOf('/'))));
  if (strange.length <= LIMITS.strangeTerminals) return;
  strange.sort(([, a], [, b]) => b.index - a.index);
  for (const [key] of strange.slice(LIMITS.strangeTerminals)) terminals.delete(key);
}

function withUnknown(before: WitnessState['sitsOut'], value: SiloCheckpointRead): WitnessState['sitsOut'] {
  const sitsOut = new Map(before);
  for (const { jobId, round } of value.unknown) sitsOut.set(jobId, Math.max(round, sitsOut.get(jobId) ?? 0));
  return sitsOut;
}

/** Until the round is closed here. */
function withForgotten({ witness, jobs }: SiloState, { unknown }: SiloCheckpointRead): WitnessState['forgotten'] {
  const forgotten = new Map(witness.forgotten);
  for (const { manifest, closedRound } of jobs.values())
    for (let round = closedRound; forgotten.delete(roundKey(manifest.jobId, round)); round--);
  for (const { jobId, round, released, summed, survivors, attempt } of unknown) {
    const before = forgotten.get(roundKey(jobId, round));
    const silos = survivors.flatMap((silo) => asSiloId(silo) ?? []);
    forgotten.set(roundKey(jobId, round), {
      released: released || before?.released === true,
      summed: summed || before?.summed === true,
      survivors: silos.length > 0 ? silos : (before?.survivors ?? []),
      attempt: silos.length > 0 ? attempt : (before?.attempt ?? 0),
    });
  }
  return forgotten;
}

/** The few that were shown last, this one among them whatever its size. */
function withLatest<V>(bySize: ReadonlyMap<number, V>, size: number, value: V): ReadonlyMap<number, V> {
  const shown = new Map(bySize);
  shown.delete(size);
  shown.set(size, value);
  return new Map([...shown].slice(-REMEMBERED));
}

/** True when a checkpoint that holds this program's Hello is cosigned by a quorum of the job's silos. */
export function isAwake(state: SiloState, job: JobState): boolean {
  const { self, witness } = state;
  if (self.roster.logKey === undefined) return true;
  const hello = witness.hello?.index;
  if (hello === undefined) return false;
  const c = effectiveMalicious(self, job.manifest);
  return [...witness.cosigners].some(([size, cosigners]) => size > hello && hasQuorum(job.manifest, c, cosigners));
}

/** True when nothing keeps this silo from promising something new in a round. */
export function mayPromise(state: SiloState, job: JobState, round: number): boolean {
  return isAwake(state, job) && round > (state.witness.sitsOut.get(job.manifest.jobId) ?? 0);
}

/** Before anything new is promised in a round. */
export function demandAwake(state: SiloState, job: JobState, round: number): void {
  demand(
    isAwake(state, job),
    'log/hello-pending',
    'no checkpoint that holds the Hello of this start has a quorum yet.',
    'state',
  );
  const until = state.witness.sitsOut.get(job.manifest.jobId) ?? 0;
  demand(
    round > until,
    'log/rolled-back',
    `the log knows more of this silo in round ${String(until)} than its journal: it sits out up to then.`,
    'state',
  );
}

/** §2.3 P0: the checkpoint that an attempt rests on is one this silo has read, under a quorum, and holds what came before. */
export function demandWitnessed(state: SiloState, job: JobState, plan: Plan, attempt: Attempt, note: Uint8Array): void {
  const { self, witness } = state;
  if (self.roster.logKey === undefined) return;
  const checkpoint = openNote(self.roster, note);
  demand(
    equalBytes(checkpoint.body, attempt.checkpoint),
    'log/note',
    'the note shown with the attempt is not the checkpoint that it names.',
  );
  demandRead(witness, checkpoint);
  demandQuorum(self, job.manifest, checkpoint);
  // That the log is not an old one follows from the Hello (see isAwake); the attempt may have begun before it.
  if (plan.round === 1) return;
  const terminal = witness.terminals.get(roundKey(plan.jobId, plan.round - 1));
  demand(
    terminal !== undefined && terminal.index < checkpoint.size,
    'log/not-logged',
    'the checkpoint that the attempt rests on does not hold the end of the round before.',
    'state',
  );
}

function demandRead(witness: WitnessState, checkpoint: OpenedCheckpoint): void {
  demand(
    witness.roots.has(checkpoint.size),
    'log/unread',
    `this silo has read no checkpoint of ${String(checkpoint.size)} entries.`,
    'state',
  );
  demandSameRoot(witness.roots.get(checkpoint.size), checkpoint);
}

function demandQuorum(self: SiloState['self'], manifest: Manifest, { cosigners, size }: OpenedCheckpoint): void {
  demand(
    hasQuorum(manifest, effectiveMalicious(self, manifest), cosigners),
    'log/no-quorum',
    `${String(manifest.silos.filter((silo) => cosigners.has(silo)).length)} of the job's silos have cosigned the checkpoint of ${String(size)} entries, which is no quorum.`,
    'state',
  );
}

/** What other members have read must not contradict what this silo has: here a fork shows (§4). */
export function demandOneLog(state: SiloState, bodies: Iterable<Uint8Array>): void {
  if (state.self.roster.logKey === undefined) return;
  for (const body of bodies) {
    const head = headOf(body);
    demandSameRoot(state.witness.roots.get(head.size), head);
  }
}

/** A round is closed by its first terminal entry in the log, and by no other. */
export function demandFirstTerminal(state: SiloState, plan: Plan, terminal: Envelope | undefined): void {
  if (state.self.roster.logKey === undefined) return;
  const logged = state.witness.terminals.get(roundKey(plan.jobId, plan.round));
  demand(logged !== undefined, 'log/not-logged', 'the end of this round is not in the log as read here.', 'state');
  demand(
    terminal !== undefined && equalBytes(logged.digest, envelopeDigest(terminal)),
    'log/other-terminal',
    `round ${String(plan.round)} was closed in the log by another message first.`,
  );
}
