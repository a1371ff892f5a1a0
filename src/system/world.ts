// The real clock and the real randomness behind the ports of base. Tests and the simulator pass seeded ones instead.

import { randomBytes } from 'node:crypto';
import type { Clock, Rng } from '../base/index.js';
import { unixMs } from '../base/index.js';

/** The machine's wall clock: may be set back by people and by NTP, so nothing about safety rests on it. */
export const systemClock: Clock = {
  now: () => unixMs(Date.now()),
};

/** The operating system's generator by way of OpenSSL's, fit for keys. */
export const systemRng: Rng = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
