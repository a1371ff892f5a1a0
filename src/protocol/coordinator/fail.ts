// An attempt is given up (docs/protocol.md §2.4).

import type { UnixMs } from '../../base/index.js';
import { ReleaseQuery } from '../../wire/index.js';
import { seal } from '../envelope.js';
import { COORDINATOR } from '../roster.js';
import { enterPhase, type Located } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

/** The attempt is given up: every live silo is asked whether it has released. */
export function failAttempt(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
  why: string,
): Accepted<CoordinatorState> {
  const { attempt, round } = found;
  const number = attempt.context.attempt.attempt;
  const query = seal(state.self.signingKey, COORDINATOR, 'release-query', ReleaseQuery, {
    rid: round.plan.rid,
    attempt: number,
  });
  const notes = [...round.notes, `attempt ${String(number)} ended in ${attempt.phase}: ${why}`];
  const noted: Located = { ...found, round: { ...round, notes } };
  const next = enterPhase(state, noted, at, 'aborted', { query, queriedBy: state.events, answers: new Map() });
  return { state: next, effects: [{ kind: 'persist', event, emitted: [query] }, { kind: 'notify' }] };
}
