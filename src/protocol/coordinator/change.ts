// Small edits of the immutable state.

import { equalBytes, type JobId, type SiloId, type UnixMs } from '../../base/index.js';
import type { Envelope } from '../../wire/index.js';
import { equalEnvelopes } from '../envelope.js';
import type { Plan } from '../plan.js';
import { demand, demanded, demandOne } from '../rejection.js';
import type { Accepted, CoordinatorEffect, CoordinatorEvent } from './event.js';
import type {
  CoordinatorAttempt,
  CoordinatorJob,
  CoordinatorPhase,
  CoordinatorRound,
  CoordinatorState,
} from './state.js';

export interface Located {
  readonly job: CoordinatorJob;
  readonly round: CoordinatorRound;
  readonly attempt: CoordinatorAttempt;
}

/** The job's own rule has ended it: its last round says so, and no vote has gone back behind that. */
export function isStopped({ closed, rollbacks }: CoordinatorJob): boolean {
  const undone = rollbacks.some(({ afterRound }) => afterRound === closed.length);
  return closed.at(-1)?.result?.endsJob === true && !undone;
}

export function jobOf(state: CoordinatorState, jobId: string): CoordinatorJob {
  // A name that is no job id is simply not found.
  return demanded(state.jobs.get(jobId as JobId), 'job/state', `there is no job "${jobId.slice(0, 80)}".`, 'missing');
}

export function withJob(state: CoordinatorState, job: CoordinatorJob): CoordinatorState {
  return { ...state, jobs: new Map(state.jobs).set(job.manifest.jobId, job) };
}

export function withAttempt(
  state: CoordinatorState,
  found: Located,
  change: Partial<CoordinatorAttempt>,
): CoordinatorState {
  return withRound(state, found, { attempt: { ...found.attempt, ...change } });
}

export function withRound(
  state: CoordinatorState,
  found: Located,
  change: Partial<CoordinatorRound>,
): CoordinatorState {
  return withJob(state, { ...found.job, open: { ...found.round, ...change } });
}

/** Moves on to a phase and writes it into the timeline. */
export function enterPhase(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  phase: CoordinatorPhase,
  change: Partial<CoordinatorAttempt> = {},
): CoordinatorState {
  const { round, attempt } = found;
  return withRound(state, found, {
    attempt: { ...attempt, ...change, phase, since: at },
    timeline: [...round.timeline, { attempt: attempt.context.attempt.attempt, phase, at }],
  });
}

/** The open round with this rid; undefined when there is none. */
export function roundOf(state: CoordinatorState, rid: Uint8Array): Located | undefined {
  for (const job of state.jobs.values())
    if (job.open !== undefined && equalBytes(job.open.plan.rid, rid))
      return { job, round: job.open, attempt: job.open.attempt };
  return undefined;
}

/** The open attempt a message is about; a late or foreign one is answered as such. */
export function attemptOf(state: CoordinatorState, rid: Uint8Array, attempt: number): Located {
  const found = demanded(roundOf(state, rid), 'message/late', 'the round this message belongs to is closed.', 'state');
  demand(
    found.attempt.context.attempt.attempt === attempt,
    'message/late',
    `attempt ${String(attempt)} is not the open one.`,
    'state',
  );
  return found;
}

/** True when the same message is already stored; a Refusal when another one is. */
export function alreadyStored(stored: Envelope | undefined, envelope: Envelope): boolean {
  if (stored === undefined) return false;
  const both = [stored, envelope];
  demandOne(
    equalEnvelopes(stored, envelope),
    'message/conflict',
    'a message with other bytes is already stored in this place.',
    both,
  );
  return true;
}

export const ANSWERED: CoordinatorEffect = { kind: 'answer', receipt: undefined };

/** A message that is stored: durable first, then answered, then everybody concerned is told. */
export function stored(
  state: CoordinatorState,
  event: CoordinatorEvent,
  emitted: readonly Envelope[] = [],
): Accepted<CoordinatorState> {
  return { state, effects: [{ kind: 'persist', event, emitted }, ANSWERED, { kind: 'notify' }] };
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

/** Sorted by cohort index, as every list on the wire is. */
export function inOrder<V>(map: ReadonlyMap<number, V>): V[] {
  return [...map].sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** Members of the cohort at these indices, in index order. */
export function silosAt({ cohort }: Plan, indices: Iterable<number> = []): SiloId[] {
  return [...indices].sort((a, b) => a - b).flatMap((index) => cohort[index] ?? []);
}

/** Survivors of each attempt of the round that came so far: silos may have signed for them. */
export function signedSoFar({ round, attempt }: Located): readonly (readonly SiloId[])[] {
  const { survivors } = attempt;
  return survivors === undefined ? round.signed : [...round.signed, silosAt(round.plan, survivors.members.keys())];
}
