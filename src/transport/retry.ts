// When to try again, and how long to wait: exponential with full jitter, so that a coordinator that comes back is not met by all silos
// at once. Every request of SiloService is idempotent, so anything that may not have arrived is simply sent again.

import type { Rng } from '../base/index.js';
import type { ClientLimits } from './limits.js';
import { isCoded } from './status.js';
import type { Sleep } from './waiting.js';
import { throwIfAborted } from './waiting.js';

export interface RetryOptions {
  readonly rng: Rng;
  readonly sleep: Sleep;
  readonly limits: Pick<ClientLimits, 'triesMax' | 'backoffBaseMs' | 'backoffCapMs'>;
}

/** The tries of one undertaking. Progress starts the count anew. */
export class Tries {
  readonly #options: RetryOptions;
  #failed = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  progressed(): void {
    this.#failed = 0;
  }

  /** Throws `error` when it is not worth another try or there have been enough; else waits. Throws transport/cancelled on abort. */
  async again(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    const retriable = isCoded(error) && error.category === 'unavailable' && error.code !== 'transport/cancelled';
    if (!retriable || this.#failed + 1 >= this.#options.limits.triesMax) throw error;
    await this.pause(signal);
    throwIfAborted(signal);
  }

  /** Waits without a bound on the number of tries; returns the wait in milliseconds. */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    const { rng, sleep, limits } = this.#options;
    const ceiling = Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** Math.min(this.#failed, 30));
    this.#failed += 1;
    await sleep(Math.floor(uniform(rng) * ceiling), signal);
  }
}

export async function retried<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const tries = new Tries(options);
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      await tries.again(error, signal);
    }
  }
}

/** In [0, 1), from 32 random bits. */
function uniform(rng: Rng): number {
  let value = 0;
  for (const byte of rng.bytes(4)) value = value * 256 + byte;
  return value / 2 ** 32;
}
