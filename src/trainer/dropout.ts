// The masks of dropout, from the seed of the round: a repeated training drops the same values. A silo's own business: masks are never
// sent. The generator is xoshiro128** (Blackman and Vigna 2021), fast and even, and of no use for secrets.

import { createHash } from 'node:crypto';
import type { DropoutMask } from '../model/index.js';

const STATE_WORDS = 4;

export class MaskSource {
  readonly #state: Uint32Array;

  /** `seed`: the 32 bytes that also decide the order of rows; the label keeps the two streams apart. */
  constructor(seed: Uint8Array) {
    const digest = createHash('sha256').update('veilsum/dropout/v1').update(seed).digest();
    this.#state = Uint32Array.from({ length: STATE_WORDS }, (_, word) => digest.readUInt32BE(4 * word));
  }

  /** Each element becomes 1 / (1 - ratio) with probability 1 - ratio, else 0. */
  fill(values: Float32Array, { ratio }: Pick<DropoutMask, 'ratio'>): void {
    const kept = 1 / (1 - ratio);
    const below = ratio * 2 ** 32;
    for (let i = 0; i < values.length; i++) values[i] = this.#next() < below ? 0 : kept;
  }

  #next(): number {
    const state = this.#state;
    // The state has four words by construction.
    const [a, b, c, d] = state as unknown as readonly [number, number, number, number];
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const third = c ^ a;
    const fourth = d ^ b;
    state[1] = b ^ third;
    state[0] = a ^ fourth;
    state[2] = third ^ (b << 9);
    state[3] = rotated(fourth, 11);
    return result;
  }
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
