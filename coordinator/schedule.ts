// What nobody asks for and time brings: phases that close, rounds that begin. Looked at after every event, and when the next thing is due.

import type { Clock } from '../src/base/index.js';
import type { CoordinatorEvent, CoordinatorState } from '../src/protocol/index.js';
import { dueNow } from './due.js';
import type { PresenceBook } from './presence.js';

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly presence: PresenceBook;
  readonly state: () => CoordinatorState;
  /** Does not throw what the state machine refuses: mostly something else happened first. */
  readonly feed: (what: string, event: CoordinatorEvent) => Promise<void>;
  readonly fatal: (error: unknown) => void;
}

export class Schedule {
  readonly #options: ScheduleOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** Does what is due now, for every job, and sleeps until something will be. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const { clock, presence, state, feed, fatal } = this.#options;
    const now = clock.now();
    const { events, wake } = dueNow(state(), now, (silo) => presence.of(silo));
    for (const event of events) feed(event.$case, event).catch(fatal);
    this.#timer = setTimeout(
      () => {
        this.look();
      },
      Math.max(1, wake - now),
    );
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
