// What is due now, over all jobs, and when somebody has to look again.

import type { SiloId, UnixMs } from '../src/base/index.js';
import { dueCheckpoint, dueFor, type CoordinatorEvent, type CoordinatorState } from '../src/protocol/index.js';

/** Nothing is due for longer than this: a wake-up costs nothing and bounds the effect of a clock that was set. */
const LONGEST_SLEEP_MS = 60_000;
/** After an event that was due and refused: the state may never become such that it is accepted, and must not be asked without pause. */
const REFUSED_PAUSE_MS = 1_000;

export interface Due {
  readonly events: readonly CoordinatorEvent[];
  readonly wake: number;
}

/** `presence`: since when a silo has been here or away. */
export function dueNow(state: CoordinatorState, now: UnixMs, presence: Parameters<typeof dueFor>[3]): Due {
  const events: CoordinatorEvent[] = [];
  let wake = now + LONGEST_SLEEP_MS;
  const note = ({ event, again }: ReturnType<typeof dueFor>): void => {
    if (event !== undefined) {
      events.push(event);
      // If it is accepted, the schedule is made anew; if not, somebody has to look again, and other jobs must not wait for this one.
      wake = Math.min(wake, now + REFUSED_PAUSE_MS);
    } else if (again !== undefined) wake = Math.min(wake, again);
  };
  note(dueCheckpoint(state, now));
  const present = (silo: SiloId): ReturnType<typeof presence> => state.denied.get(silo)?.at ?? presence(silo);
  for (const job of state.jobs.values()) note(dueFor(state, job, now, present));
  return { events, wake };
}
