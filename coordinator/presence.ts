// Who has a stream open, and since when those who have none are gone.

import type { Clock, SiloId, UnixMs } from '../src/base/index.js';

export class PresenceBook {
  readonly #streams = new Map<SiloId, number>();
  readonly #goneSince = new Map<SiloId, UnixMs>();
  #elsewhere: ReadonlySet<SiloId> = new Set();
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
      if (!this.connected(silo)) this.#goneSince.set(silo, this.#clock.now());
    }
  }

  /** Silos with a stream to this process. */
  get size(): number {
    return this.#streams.size;
  }

  get here(): SiloId[] {
    return [...this.#streams.keys()].sort();
  }

  /** Silos with a stream to another coordinator, as it says. True when that is news. */
  setElsewhere(silos: ReadonlySet<SiloId>): boolean {
    const before = this.#elsewhere;
    if (before.size === silos.size && [...silos].every((silo) => before.has(silo))) return false;
    this.#elsewhere = silos;
    for (const silo of silos) this.#goneSince.delete(silo);
    for (const silo of before) if (!this.connected(silo)) this.#goneSince.set(silo, this.#clock.now());
    return true;
  }

  connected(silo: SiloId): boolean {
    return this.#streams.has(silo) || this.#elsewhere.has(silo);
  }

  /** As the schedule asks: true, or the instant since when; a silo never seen is gone since this process started. */
  of(silo: SiloId): true | UnixMs {
    return this.connected(silo) ? true : (this.#goneSince.get(silo) ?? this.#started);
  }
}
