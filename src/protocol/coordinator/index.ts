// The coordinator's role in the protocol: one phase a file.

export type { NotedKind } from './act.js';
export { advanceCoordinator, initialCoordinatorState } from './advance.js';
export { directivesFor, mayFetch, type MissingInputs } from './directives.js';
export { pendingComputations } from './pending.js';
export { demandNotDenied } from './denied.js';
export { ordersOf } from './order.js';
export { demandMember } from './roster.js';
export { dueCheckpoint, firstEntry, newestWitnessed, noteOf } from './log.js';
export { dueFor, type Due, type Presence } from './due.js';
export type {
  Accepted as CoordinatorAccepted,
  CoordinatorEffect,
  CoordinatorEvent,
  TimedEvent as TimedCoordinatorEvent,
} from './event.js';
export type {
  ClosedRound,
  CoordinatorAttempt,
  CoordinatorJob,
  CoordinatorPhase,
  CoordinatorRound,
  CoordinatorSelf,
  CoordinatorState,
  JobStatus,
  LogState,
  MadeCheckpoint,
  PhaseBegin,
  ProposedRoster,
  PublishedResult,
  TakenOrder,
} from './state.js';
