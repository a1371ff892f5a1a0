// When a phase ends and when a round may begin: functions of the state, the time and who is there. The runtime asks after every event
// and at the time it is told to ask again.

import type { SiloId, UnixMs } from '../../base/index.js';
import { plusMs } from '../../base/index.js';
import type { PhaseTimeouts } from '../../wire/index.js';
import { lastRound, type Manifest } from '../manifest.js';
import { validCohortSizes } from '../params.js';
import { standing } from '../succession.js';
import { witnessQuorum } from '../../transcript/index.js';
import { isStopped } from './change.js';
import { nextCohort } from './cohort.js';
import type { CoordinatorEvent } from './event.js';
import { mayRest } from './log.js';
import type { ClosedRound, CoordinatorJob, CoordinatorRound, CoordinatorState } from './state.js';

/** Who is there: `true` while the silo's stream is open, otherwise the instant since when it has been gone. */
export type Presence = (silo: SiloId) => true | UnixMs;

export interface Due {
  /** What to do now, if anything. */
  readonly event?: CoordinatorEvent;
  /** When to ask again at the latest, if nothing else happens. */
  readonly again?: UnixMs;
}

const NOTHING: Due = {};
/** Between looks at whether a checkpoint has its quorum, when nothing else happens. */
const WITNESS_PAUSE_MS = 1_000;

/** What is due in one job. */
export function dueFor(state: CoordinatorState, job: CoordinatorJob, now: UnixMs, presence: Presence): Due {
  if (job.open !== undefined) return dueInRound(job, job.open, now, presence);
  if (job.status === 'offered' || job.status === 'running') return dueBetweenRounds(state, job, now, presence);
  return NOTHING;
}

function dueInRound(job: CoordinatorJob, round: CoordinatorRound, now: UnixMs, presence: Presence): Due {
  const { attempt } = round;
  const timeouts = timeoutsOf(job);
  const close = (cause: string): Due => ({
    event: {
      $case: 'phaseClosed',
      value: {
        jobId: job.manifest.jobId,
        round: round.plan.round,
        attempt: attempt.context.attempt.attempt,
        phase: attempt.phase,
        cause,
      },
    },
  });
  const wait = waitingFor(job, round);
  if (wait === undefined) return NOTHING;
  const { expected, arrived, limit } = wait;
  const missing = expected.filter((index) => !arrived.has(index));
  if (missing.length === 0) return close('complete');
  const deadline = plusMs(attempt.since, timeouts[limit]);
  if (now >= deadline) return close('timeout');
  let again = deadline;
  if (attempt.phase === 'confirm' && attempt.quorumAt !== undefined) {
    const grace = plusMs(attempt.quorumAt, timeouts.graceMs);
    if (now >= grace) return close('grace');
    again = earlier(again, grace);
  }
  const gone = missing.map((index) => presenceOf(round, index, presence));
  if (gone.every((since) => since !== true)) {
    const absent = plusMs(latest(gone, attempt.since), timeouts.absentAfterMs);
    // A silo that left before the phase began has the whole absence time from then on, too: it may be on its way back.
    if (now >= absent) return close('absent');
    again = earlier(again, absent);
  }
  return { again };
}

/** Of a member of the cohort; whoever is meant by no index in particular (shares of enough silos) counts as there. */
function presenceOf(round: CoordinatorRound, index: number, presence: Presence): true | UnixMs {
  const silo = round.plan.cohort[index];
  return silo === undefined ? true : presence(silo);
}

type Limit = 'advertiseMs' | 'shareMs' | 'maskMs' | 'confirmMs' | 'unmaskMs';

interface Waiting {
  readonly expected: readonly number[];
  readonly arrived: ReadonlyMap<number, unknown> | ReadonlySet<number>;
  readonly limit: Limit;
}

// No member's index.
const ANYBODY = -1;

/** Whose answer the phase waits for; undefined while a computation of our own is under way. */
function waitingFor(job: CoordinatorJob, round: CoordinatorRound): Waiting | undefined {
  const { attempt } = round;
  const number = attempt.context.attempt.attempt;
  const aborted = round.aborts.get(number) ?? new Map<number, unknown>();
  const without = (indices: Iterable<number>, gone: { has(index: number): boolean }): number[] =>
    [...indices].filter((index) => !aborted.has(index) && !gone.has(index));
  const nobody = new Set<number>();
  const cohort = round.plan.cohort.map((_, index) => index);
  const barred = new Set(cohort.filter((index) => job.barred.has(round.plan.cohort[index] ?? ('' as SiloId))));
  switch (attempt.phase) {
    case 'advertise':
      return { expected: without(cohort, barred), arrived: attempt.advertised, limit: 'advertiseMs' };
    case 'share':
      return {
        expected: without(attempt.keys?.members.keys() ?? [], nobody),
        arrived: attempt.offeredShares,
        limit: 'shareMs',
      };
    case 'check': {
      // A dealer that owes an answer is waited for like a silo that has not checked.
      const owing = new Set(
        [...attempt.complaints.values()].filter((one) => one.answer === undefined).map((one) => one.dealer),
      );
      const arrived = new Set([...attempt.checkedBy.keys()].filter((index) => !owing.has(index)));
      const expected = [...(attempt.keys?.members.keys() ?? []), ...owing];
      return { expected: without(expected, barred), arrived, limit: 'shareMs' };
    }
    case 'mask':
      if (attempt.closing) return undefined;
      return {
        expected: without(without(attempt.dealers?.members.keys() ?? [], attempt.declined), barred),
        arrived: attempt.masked,
        limit: 'maskMs',
      };
    case 'confirm':
      if (attempt.quorum !== undefined) return undefined;
      return {
        expected: [...(attempt.survivors?.members.keys() ?? [])],
        arrived: attempt.consistency,
        limit: 'confirmMs',
      };
    case 'unmask':
      // Enough releases close this phase by themselves; only its time can run out.
      return { expected: [ANYBODY], arrived: nobody, limit: 'unmaskMs' };
    case 'aborted':
      return { expected: without(cohort, barred), arrived: attempt.answers, limit: 'confirmMs' };
    case 'publish':
      return undefined;
  }
}

function dueBetweenRounds(state: CoordinatorState, job: CoordinatorJob, now: UnixMs, presence: Presence): Due {
  const { manifest } = job;
  const stop = (state: string, reason: string): Due => ({
    event: { $case: 'jobStopped', value: { jobId: manifest.jobId, state, reason } },
  });
  if (job.rejectedInRow >= manifest.rejectedRoundsLimit)
    return stop(
      'paused',
      `${String(job.rejectedInRow)} rounds in a row were rejected: the operators of the silos decide how to go on`,
    );
  const last = job.closed.at(-1);
  const timeouts = timeoutsOf(job);
  if (last !== undefined) {
    const settled = settledAt(last, timeouts, presence, now);
    if (settled !== undefined) return { again: settled };
    if (job.closed.length > job.settledRounds && last.disputes.size > last.plan.n - last.plan.t)
      return stop(
        'paused',
        `${String(last.disputes.size)} silos dispute the result of round ${String(last.plan.round)}`,
      );
  }
  if (isStopped(job))
    return stop('completed', `the rule for early stopping ended it after round ${String(job.closed.length)}`);
  if (job.closed.length >= lastRound(manifest))
    return job.closed.some(({ result }) => result !== undefined)
      ? stop('completed', 'the last round is done')
      : stop('ended', 'every round was abandoned, so there is no result: create a new job when its silos are back');
  // Who was removed from the roster is waited for no more, and is in no cohort.
  const left = standing(state.self.roster, manifest.silos);
  if (!mayGoOn(manifest, left.length))
    return stop(
      'ended',
      `${String(left.length)} of its ${String(manifest.silos.length)} silos are left in the roster, which is too few for the floors or the quorum of the job: create a new one`,
    );
  const ready = left.filter((silo) => job.approvals.has(silo));
  // A barred silo is never waited for and never heard; in the cohort it counts among the absent.
  const heard = ready.filter((silo) => presence(silo) === true && !job.barred.has(silo));
  const there = ready.filter((silo) => heard.includes(silo) || job.barred.has(silo));
  const cohort = nextCohort(job, there);
  if (cohort === undefined) return NOTHING;
  // Somebody may be on the way (approving, or back after an interruption): those who left lately have the absence time.
  const missing = left.filter((silo) => !job.refusals.has(silo) && !there.includes(silo));
  if (missing.length > 0) {
    const patience = plusMs(latest(missing.map(presence), job.createdAt), timeouts.absentAfterMs);
    if (now < patience) return { again: patience };
  }
  if (!mayRest(state, job, heard, now)) return { again: plusMs(now, WITNESS_PAUSE_MS) };
  return { event: { $case: 'roundOpened', value: { jobId: manifest.jobId, cohort: [...cohort] } } };
}

/** Whether so many silos can ever open another round of the job. Its quorum of witnesses is one of all its silos, whoever has gone. */
function mayGoOn({ silos, maxMalicious, minCohort, graph }: Manifest, left: number): boolean {
  if (left === silos.length) return true;
  const bounds = { c: maxMalicious, minCohort, minHonest: 2, graph };
  return validCohortSizes(left, bounds).length > 0 && left >= witnessQuorum(silos.length, maxMalicious);
}

/** Until when the next round waits for acknowledgements of the last; undefined when it need not wait. */
function settledAt(last: ClosedRound, timeouts: PhaseTimeouts, presence: Presence, now: UnixMs): UnixMs | undefined {
  const pending = last.plan.cohort.filter((silo) => !last.acks.has(silo) && !last.disputes.has(silo));
  if (pending.every((silo) => presence(silo) !== true)) {
    if (pending.length === 0 || last.acks.size >= last.plan.t) return undefined;
  }
  const until = plusMs(last.endedAt, timeouts.unmaskMs);
  return now >= until ? undefined : until;
}

function timeoutsOf(job: CoordinatorJob): PhaseTimeouts {
  const { timeouts } = job.manifest.message;
  // openManifest refuses a manifest without timeouts.
  return timeouts as PhaseTimeouts;
}

function earlier(a: UnixMs, b: UnixMs): UnixMs {
  return a < b ? a : b;
}

/** The latest of the instants given, at least `floor`. */
function latest(instants: readonly (true | UnixMs)[], floor: UnixMs): UnixMs {
  let at = floor;
  for (const instant of instants) if (instant !== true && instant > at) at = instant;
  return at;
}
