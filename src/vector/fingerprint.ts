// tau = Σ w_k · v_k mod 2^61 − 1 with public weights: the check that the sum is the sum of what was sent (docs/protocol.md §2.3 P4).
// The kernel adds up products exactly for a block; what remains is a few additions modulo the prime.

import { invariant } from '../base/index.js';
import { products } from './kernels/printer.js';

export const FINGERPRINT_PRIME = (1n << 61n) - 1n;

const WEIGHT_BYTES = 8;

export class Fingerprint {
  #total = 0n;

  /**
   * `values`: whole numbers from 0 to 2^40 − 1. `weights`: 8 bytes for each, of whose little-endian u64 the low 61 bits count.
   * Call it for consecutive pieces in order.
   */
  update(values: ArrayLike<number>, weights: Uint8Array): void {
    invariant(weights.length === WEIGHT_BYTES * values.length, 'one 8-byte weight for each value');
    const typed = values instanceof Uint32Array || values instanceof Float64Array ? values : Float64Array.from(values);
    products(typed, weights, ([a0 = 0n, a1 = 0n, b0 = 0n, b1 = 0n, c = 0n, d = 0n]) => {
      const sum = a0 + ((a1 + b0 + c) << 32n) + ((b1 + d) << 64n);
      this.#total = (this.#total + sum) % FINGERPRINT_PRIME;
    });
  }

  /** The fingerprint so far, from 0 to 2^61 − 2. */
  digest(): bigint {
    return this.#total;
  }
}

/** Sum of fingerprints mod 2^61 − 1. */
export function addFingerprints(all: readonly bigint[]): bigint {
  return all.reduce((sum, one) => (sum + one) % FINGERPRINT_PRIME, 0n);
}
