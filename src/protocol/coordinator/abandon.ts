// A round that cannot be finished is closed by a signed Abandon (docs/protocol.md §2.4).

import type { UnixMs } from '../../base/index.js';
import { hash, LABELS } from '../../crypto/index.js';
import { Abandon, type Envelope } from '../../wire/index.js';
import { seal } from '../envelope.js';
import { COORDINATOR } from '../roster.js';
import { inOrder, signedSoFar, silosAt, withJob, type Located } from './change.js';
import type { Accepted, CoordinatorEffect, CoordinatorEvent } from './event.js';
import type { ClosedRound, CoordinatorState } from './state.js';

/** No attempt can finish this round any more: it is closed without a result, and the next one follows from its Abandon. */
export function abandon(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
  /** What it rests on beside the aborts and answers of silos: an operator's order. */
  orders: readonly Envelope[] = [],
): Accepted<CoordinatorState> {
  const { job, round, attempt } = found;
  const { plan } = round;
  const number = attempt.context.attempt.attempt;
  const forget: CoordinatorEffect = { kind: 'forget-attempt', rid: plan.rid, attempt: number };
  const envelope = seal(state.self.signingKey, COORDINATOR, 'abandon', Abandon, {
    jobId: plan.jobId,
    rid: plan.rid,
    round: plan.round,
    reason: round.notes.at(-1) ?? 'no attempt could be finished',
    proof: [
      ...orders,
      ...inOrder(round.aborts.get(number - 1) ?? new Map<number, Envelope>()),
      ...inOrder(attempt.answers),
    ],
  });
  const terminalHash = hash(LABELS.abandon, envelope.payload);
  const closed: ClosedRound = {
    plan,
    attempt: number,
    closedBy: state.events,
    startedAt: round.startedAt,
    endedAt: at,
    advertisers: silosAt(plan, attempt.keys?.members.keys()),
    dealers: silosAt(plan, attempt.dealers?.members.keys()),
    survivors: [],
    signed: signedSoFar(found),
    result: undefined,
    abandon: envelope,
    terminalHash,
    acks: new Map(),
    aborts: new Map(),
    disputes: new Map(),
    metrics: [],
    timeline: round.timeline,
    notes: round.notes,
  };
  const next = withJob(state, {
    ...job,
    open: undefined,
    closed: [...job.closed, closed],
    previousResultHash: terminalHash,
  });
  return {
    state: next,
    effects: [
      { kind: 'persist', event, emitted: [envelope] },
      { kind: 'notify' },
      forget,
      { kind: 'closed', jobId: plan.jobId, round: plan.round, transcript: undefined },
    ],
  };
}
