// Which rounds a reader wants to see.

import type { ClosedRound, CoordinatorRound } from '../../src/protocol/index.js';
import { Outcome, RoundState, type ListRoundsRequest } from '../../src/wire/index.js';
import { AdminError } from './errors.js';
import { inRange } from './find.js';
import { isClosed } from './round-view.js';

export interface RoundFilter {
  /** The filter as part of a list's name; empty without one. */
  readonly words: string;
  readonly keeps: (round: ClosedRound | CoordinatorRound) => boolean;
}

type Asked = Pick<ListRoundsRequest, 'state' | 'outcome' | 'firstRound' | 'lastRound'>;

/** Numbers that a caller may have sent: the wire lets any through. */
const STATES: ReadonlySet<number> = new Set([
  RoundState.ROUND_STATE_UNSPECIFIED,
  RoundState.ROUND_STATE_OPEN,
  RoundState.ROUND_STATE_DONE,
  RoundState.ROUND_STATE_ABANDONED,
]);
const OUTCOMES: ReadonlySet<number> = new Set([
  Outcome.OUTCOME_UNSPECIFIED,
  Outcome.OUTCOME_APPLIED,
  Outcome.OUTCOME_REJECTED,
]);

/** Throws AdminError `admin/bad-filter`. */
export function roundFilter({ state, outcome, firstRound, lastRound }: Asked): RoundFilter {
  const within = inRange({ firstRound, lastRound });
  if (!STATES.has(state))
    throw new AdminError('admin/bad-filter', `this version knows no state of rounds with the number ${String(state)}.`);
  if (!OUTCOMES.has(outcome))
    throw new AdminError('admin/bad-filter', `this version knows no outcome with the number ${String(outcome)}.`);
  const words = [state, outcome, firstRound, lastRound].every((one) => one === 0)
    ? ''
    : ` (${[state, outcome, firstRound, lastRound].join(' ')})`;
  return {
    words,
    keeps: (round) =>
      within(round.plan.round) &&
      (state === RoundState.ROUND_STATE_UNSPECIFIED || state === stateOf(round)) &&
      (outcome === Outcome.OUTCOME_UNSPECIFIED || (isClosed(round) && round.result?.outcome === outcome)),
  };
}

function stateOf(round: ClosedRound | CoordinatorRound): RoundState {
  if (!isClosed(round)) return RoundState.ROUND_STATE_OPEN;
  return round.result === undefined ? RoundState.ROUND_STATE_ABANDONED : RoundState.ROUND_STATE_DONE;
}
