// What operators order (docs/protocol.md §2.8). The signed order is the event: it is durable before anything follows from it, and folding
// the journal checks its signature again.

import { type UnixMs } from '../../base/index.js';
import type { CoordinatorOrderGiven } from '../../wire/index.js';
import { equalEnvelopes } from '../envelope.js';
import { demandOfJob, openOrder, type OpenedOrder } from '../order.js';
import { demand } from '../rejection.js';
import { abandon } from './abandon.js';
import { ANSWERED, jobOf, stored, withJob, withRound, type Located } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorJob, CoordinatorState } from './state.js';

export function onOrderGiven(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorOrderGiven,
): Accepted<CoordinatorState> {
  const order = openOrder(state.self.roster, value.order);
  const before = state.orders[Number(order.number) - 1];
  if (before !== undefined && equalEnvelopes(before.order.envelope, order.envelope))
    return { state, effects: [ANSWERED] };
  const next = BigInt(state.orders.length) + 1n;
  demand(
    order.number === next,
    'order/number',
    `the next order has the number ${String(next)}, this one has ${String(order.number)}.`,
    'state',
  );
  const noted = { ...state, orders: [...state.orders, { at, order }] };
  demand(
    order.roster.epoch === state.self.roster.epoch,
    'order/invalid',
    `the order was given under epoch ${String(order.roster.epoch)} of the roster, in force is ${String(state.self.roster.epoch)}.`,
    'state',
  );
  const { action } = order;
  switch (action.kind) {
    case 'deny-silo':
    case 'allow-silo':
      return onSiloOrder(noted, at, event, order, action);
    case 'abort-round':
      return onAbortRound(noted, at, event, order, action);
    case 'pause-job':
    case 'resume-job':
    case 'abort-job':
      return onJobOrder(noted, at, event, order, action);
  }
}

type ActionOf<Kind extends OpenedOrder['action']['kind']> = Extract<OpenedOrder['action'], { readonly kind: Kind }>;

function onSiloOrder(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  order: OpenedOrder,
  { kind, silo }: ActionOf<'deny-silo' | 'allow-silo'>,
): Accepted<CoordinatorState> {
  demand(state.self.roster.members.has(silo), 'order/invalid', `the roster has no silo "${silo}".`, 'missing');
  const isDenied = state.denied.has(silo);
  demand(
    isDenied === (kind === 'allow-silo'),
    'order/no-effect',
    `${silo} is ${isDenied ? 'denied already' : 'not denied'}.`,
    'state',
  );
  const denied = new Map(state.denied);
  if (kind === 'deny-silo') denied.set(silo, { at, order });
  else denied.delete(silo);
  return stored({ ...state, denied }, event);
}

function onAbortRound(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  order: OpenedOrder,
  action: ActionOf<'abort-round'>,
): Accepted<CoordinatorState> {
  const job = jobOf(state, action.jobId);
  demandOfJob(job.manifest, action);
  const { open } = job;
  demand(
    open?.plan.round === action.round,
    'job/state',
    `round ${String(action.round)} of job "${action.jobId}" is not open.`,
    'state',
  );
  demand(
    !mayHaveReleased(job),
    'job/state',
    `silos have been asked to release their shares of round ${String(action.round)}: it ends by itself.`,
    'state',
  );
  return abandonOpen(state, job, at, event, order);
}

function onJobOrder(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  order: OpenedOrder,
  action: ActionOf<'pause-job' | 'resume-job' | 'abort-job'>,
): Accepted<CoordinatorState> {
  const job = jobOf(state, action.jobId);
  demandOfJob(job.manifest, action);
  const { status } = job;
  const going = status === 'offered' || status === 'running';
  const may = { 'pause-job': going, 'resume-job': status === 'paused', 'abort-job': going || status === 'paused' };
  demand(may[action.kind], 'job/state', `job "${action.jobId}" is ${status}.`, 'state');
  const reason = `${order.reason} (${order.signer})`;
  if (action.kind === 'resume-job') {
    // A round that was open all along, or had been, makes it a running job; otherwise it still waits for approvals.
    const begun = job.open !== undefined || job.closed.length > 0;
    const changed = { status: begun ? 'running' : 'offered', reason: '', stoppedBy: 0 } as const;
    return stored(withJob(state, { ...job, ...changed, rejectedInRow: 0, settledRounds: job.closed.length }), event);
  }
  if (action.kind === 'pause-job')
    return stored(withJob(state, { ...job, status: 'paused', reason, stoppedBy: state.events }), event);
  const ended: CoordinatorJob = { ...job, status: 'ended', reason, stoppedBy: state.events, endOrder: order.envelope };
  const next = withJob(state, ended);
  return job.open === undefined || mayHaveReleased(job)
    ? stored(next, event)
    : abandonOpen(next, ended, at, event, order);
}

/** From here on a silo may have opened its input: the round is not given up by an order, because its sum may be known. */
function mayHaveReleased({ open }: CoordinatorJob): boolean {
  return open?.attempt.quorumBy !== undefined;
}

function abandonOpen(
  state: CoordinatorState,
  job: CoordinatorJob,
  at: UnixMs,
  event: CoordinatorEvent,
  order: OpenedOrder,
): Accepted<CoordinatorState> {
  const { open } = job;
  if (open === undefined) return stored(state, event);
  const notes = [...open.notes, `${order.signer} ordered an end in ${open.attempt.phase}: ${order.reason}`];
  const found: Located = { job, round: open, attempt: open.attempt };
  const noted = withRound(state, found, { notes });
  const done = abandon(noted, { ...found, round: { ...open, notes } }, at, event, [order.envelope]);
  return { state: done.state, effects: [...done.effects, ANSWERED] };
}

/** Orders about a job, oldest first. */
export function ordersOf({ orders }: CoordinatorState, jobId: string): readonly OpenedOrder[] {
  return orders.flatMap(({ order }) => ('jobId' in order.action && order.action.jobId === jobId ? [order] : []));
}
