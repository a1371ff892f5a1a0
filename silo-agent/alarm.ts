// Rings at one instant, whatever else happens or does not happen until then. Keeps no process alive, and looks at nothing in between.

import type { Clock, UnixMs } from '../src/base/index.js';

/** The longest that a timer sleeps: 2^31 ms, about 24 days. */
const SLEEP_MAX_MS = 2 ** 31 - 1;

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** In place of what was set before; undefined for never. What has passed rings at once. */
  set(at: UnixMs | undefined): void {
    this.clear();
    if (at === undefined) return;
    const left = Math.max(0, at - this.#clock.now());
    this.#timer = setTimeout(
      () => {
        // The clock was set back, or the instant is further away than a timer sleeps.
        if (this.#clock.now() < at) this.set(at);
        else this.#ring();
      },
      Math.min(left, SLEEP_MAX_MS),
    );
    this.#timer.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
