// P4: consistency messages are gathered; before shares are asked for, fingerprints that do not fit their input are sorted out.

import { equalBytes, type UnixMs } from '../../base/index.js';
import { Consistency, decode, type CoordinatorFingerprintsChecked, type Envelope } from '../../wire/index.js';
import { bar } from './bar.js';
import { openConsistency } from '../check/survivors.js';
import { demand, demanded } from '../rejection.js';
import {
  alreadyStored,
  ANSWERED,
  attemptOf,
  enterPhase,
  stored,
  withAttempt,
  withEntry,
  type Located,
} from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import { failAttempt } from './fail.js';
import type { CoordinatorState } from './state.js';

export function onConsistency(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const { t3 } = decode(Consistency, 'consistency', envelope.payload);
  const found = demanded(byT3(state, t3), 'message/late', 'the attempt this message belongs to is closed.', 'state');
  const { attempt } = found;
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const one = openConsistency(attempt.context, survivors, envelope);
  if (alreadyStored(attempt.consistency.get(one.index)?.envelope, envelope)) return { state, effects: [ANSWERED] };
  demand(
    attempt.phase === 'confirm' && attempt.quorum === undefined,
    'message/late',
    'enough survivors have confirmed.',
    'state',
  );
  const consistency = withEntry(attempt.consistency, one.index, one);
  const reached = attempt.quorumAt === undefined && consistency.size >= attempt.context.plan.t;
  return stored(withAttempt(state, found, { consistency, ...(reached ? { quorumAt: at } : {}) }), event);
}

/** The attempt whose T3 a message names. */
export function byT3(state: CoordinatorState, t3: Uint8Array): Located | undefined {
  for (const job of state.jobs.values()) {
    const survivors = job.open?.attempt.survivors;
    if (job.open !== undefined && survivors !== undefined && equalBytes(survivors.t3, t3))
      return { job, round: job.open, attempt: job.open.attempt };
  }
  return undefined;
}

/** Enough have confirmed: compare their fingerprints with the sum before anybody is asked to release. */
export function closeConfirm(
  state: CoordinatorState,
  found: Located,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { attempt } = found;
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const next = withAttempt(state, found, { quorum: attempt.consistency });
  return {
    state: next,
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'check-fingerprints', context: attempt.context, survivors, fingerprints: attempt.consistency },
    ],
  };
}

/** Lying fingerprints count as missing; if t honest ones are left, shares are asked for. */
export function onFingerprintsChecked(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorFingerprintsChecked,
): Accepted<CoordinatorState> {
  const found = attemptOf(state, value.rid, value.attempt);
  const { attempt, round } = found;
  demand(
    attempt.phase === 'confirm' && attempt.quorum !== undefined,
    'job/state',
    'no fingerprints are being checked.',
    'state',
  );
  const lying = new Set(value.lying);
  const quorum = new Map([...attempt.consistency].filter(([index]) => !lying.has(index)));
  const names = value.lying.map((index) => round.plan.cohort[index] ?? '?').join(', ');
  const notes =
    lying.size === 0
      ? round.notes
      : [...round.notes, `the fingerprints of ${names} are not those of their inputs; they count as missing`];
  const noted: Located = { ...found, round: { ...round, notes } };
  let judged = noted;
  for (const index of value.lying) {
    // With the input itself, which the coordinator keeps, these prove that the fingerprint was not computed from it.
    const { plan, manifest } = attempt.context;
    judged = bar(judged, index, 'confirm/lying-fingerprint', [
      attempt.consistency.get(index)?.envelope,
      attempt.survivors?.request,
      plan.envelope,
      manifest.envelope,
    ]);
  }
  if (quorum.size < attempt.context.plan.t)
    return failAttempt(state, judged, at, event, 'too few fingerprints fit their inputs');
  return stored(enterPhase(state, judged, at, 'unmask', { quorum, quorumBy: state.events }), event);
}
