// tau = Σ w_k · v_k mod 2^61 − 1 with public weights: the check that the sum is the sum of what was sent (docs/protocol.md §2.3 P4).
// Products are split into limbs small enough that a double adds 2^15 of them exactly.

import { invariant } from '../base/index.js';

export const FINGERPRINT_PRIME = (1n << 61n) - 1n;

// Weights: 61 bits = 21 + 21 + 19. Values: up to 40 bits = 20 + 20. A product is below 2^41; 2^12 of them stay below 2^53.
const FLUSH_AFTER = 1 << 12;
const WEIGHT_BYTES = 8;

export class Fingerprint {
  #total = 0n;
  readonly #limbs = new Float64Array(6);
  #pending = 0;

  /**
   * `values`: whole numbers from 0 to 2^40 − 1. `weights`: 8 bytes for each, of whose little-endian u64 the low 61 bits count.
   * Call it for consecutive pieces in order.
   */
  update(values: ArrayLike<number>, weights: Uint8Array): void {
    invariant(weights.length === WEIGHT_BYTES * values.length, 'one 8-byte weight for each value');
    const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
    const limbs = this.#limbs;
    let [a0 = 0, a1 = 0, a2 = 0, b0 = 0, b1 = 0, b2 = 0] = limbs;
    for (let k = 0; k < values.length; k++) {
      const low = view.getUint32(WEIGHT_BYTES * k, true);
      const high = view.getUint32(WEIGHT_BYTES * k + 4, true);
      const w0 = low & 0x1fffff;
      const w1 = (low >>> 21) | ((high & 0x3ff) << 11);
      const w2 = (high >>> 10) & 0x7ffff;
      // k is below the length.
      const value = values[k] as number;
      const v1 = Math.floor(value / 0x100000);
      const v0 = value - v1 * 0x100000;
      a0 += w0 * v0;
      a1 += w1 * v0;
      a2 += w2 * v0;
      b0 += w0 * v1;
      b1 += w1 * v1;
      b2 += w2 * v1;
      if (++this.#pending === FLUSH_AFTER) {
        limbs.set([a0, a1, a2, b0, b1, b2]);
        this.#flush();
        a0 = a1 = a2 = b0 = b1 = b2 = 0;
      }
    }
    limbs.set([a0, a1, a2, b0, b1, b2]);
  }

  /** The fingerprint so far, from 0 to 2^61 − 2. */
  digest(): bigint {
    this.#flush();
    return this.#total;
  }

  #flush(): void {
    const limb = (i: number): bigint => BigInt(this.#limbs[i] ?? 0);
    const low = limb(0) + (limb(1) << 21n) + (limb(2) << 42n);
    const high = limb(3) + (limb(4) << 21n) + (limb(5) << 42n);
    this.#total = (this.#total + low + (high << 20n)) % FINGERPRINT_PRIME;
    this.#limbs.fill(0);
    this.#pending = 0;
  }
}

/** Sum of fingerprints mod 2^61 − 1. */
export function addFingerprints(all: readonly bigint[]): bigint {
  return all.reduce((sum, one) => (sum + one) % FINGERPRINT_PRIME, 0n);
}
