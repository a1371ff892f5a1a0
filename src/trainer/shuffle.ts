// The order of rows in an epoch, from a seed of the round: a repeated run visits the same rows in the same order. For order only;
// noise and masks have generators of their own.

import { createHash } from 'node:crypto';

const WORDS_PER_BLOCK = 8;

/** Uniform integers from SHA-256("veilsum/shuffle/v1" || seed || u64be(block)), read as big-endian 32-bit words. */
export class Shuffler {
  readonly #input: Buffer;
  #block = Buffer.alloc(0);
  #counter = 0n;
  #word = WORDS_PER_BLOCK;

  /** `seed`: 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#input = Buffer.concat([Buffer.from('veilsum/shuffle/v1'), seed, Buffer.alloc(8)]);
  }

  /** Puts 0 .. order.length - 1 into `order` in random order (Fisher and Yates, in place). */
  permuteInto(order: Uint32Array): void {
    for (let i = 0; i < order.length; i++) order[i] = i;
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.#below(i + 1);
      // i and j are below order.length.
      const held = order[i] as number;
      order[i] = order[j] as number;
      order[j] = held;
    }
  }

  /** Uniform on 0 .. bound - 1 by rejection, without modulo bias; bound at most 2^32. */
  #below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word = this.#next();
    while (word >= limit) word = this.#next();
    return word % bound;
  }

  #next(): number {
    if (this.#word === WORDS_PER_BLOCK) {
      this.#input.writeBigUInt64BE(this.#counter++, this.#input.length - 8);
      this.#block = createHash('sha256').update(this.#input).digest();
      this.#word = 0;
    }
    return this.#block.readUInt32BE(4 * this.#word++);
  }
}
