// What the outside world gives to those who need it: the programs pass the real ones (system/), tests pass seeded ones.

import type { UnixMs } from './instant.js';

/** A source of uniformly random bytes fit for keys. */
export interface Rng {
  bytes(length: number): Uint8Array;
}

export interface Clock {
  now(): UnixMs;
}
