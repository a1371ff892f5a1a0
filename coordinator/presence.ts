// Who has a stream open, and since when those who have none are gone.

import type { Clock, SiloId, UnixMs } from '../src/base/index.js';

export class PresenceBook {
  readonly #streams = new Map<SiloId, number>();
  readonly #goneSince = new Map<SiloId, UnixMs>();
  readonly #started: UnixMs;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.now();
  }

  opened(silo: SiloId): void {
    this.#streams.set(silo, (this.#streams.get(silo) ?? 0) + 1);
    this.#goneSince.delete(silo);
  }

  closed(silo: SiloId): void {
    const left = (this.#streams.get(silo) ?? 1) - 1;
    this.#streams.set(silo, left);
    if (left <= 0) {
      this.#streams.delete(silo);
      this.#goneSince.set(silo, this.#clock.now());
    }
  }

  /** Silos with a stream. */
  get size(): number {
    return this.#streams.size;
  }

  connected(silo: SiloId): boolean {
    return this.#streams.has(silo);
  }

  /** As the schedule asks: true, or the instant since when; a silo never seen is gone since this process started. */
  of(silo: SiloId): true | UnixMs {
    return this.#streams.has(silo) ? true : (this.#goneSince.get(silo) ?? this.#started);
  }
}
