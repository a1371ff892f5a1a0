// Noise onto a vector of integers, in place, from a stream of uniform bytes. The same bytes give the same noise on every machine.

import { invariant } from '../../base/index.js';
import { GUIDE_BITS, type NoiseTable } from './table.js';

/** The next `length` bytes of a keystream; never the same bytes twice. */
export type NextBytes = (length: number) => Uint8Array;

/** Words that are asked for at once: memory does not grow with the vector. */
const BLOCK_WORDS = 1 << 12;

/**
 * Adds one independent sample to each value. Values and noise must stay within 31 bits, which a layout's overflow check assures.
 * A sample takes one word, and three more where that one alone does not decide: about once in 2^32 / entries.
 */
export function addNoiseInto(values: Int32Array, table: NoiseTable, next: NextBytes): void {
  const uniform = new WordStream(next);
  const { reach, guide, words } = table;
  const first = words[0];
  for (let i = 0; i < values.length; i++) {
    const word = uniform.next();
    const top = word >>> (32 - GUIDE_BITS);
    // `top` is below the guide's length less one, entries below the table's.
    let low = guide[top] as number;
    let high = guide[top + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((first[middle] as number) < word) low = middle + 1;
      else high = middle;
    }
    const entry = low < first.length && first[low] === word ? decide(table, low, word, uniform) : low;
    // i is below the length.
    values[i] = (values[i] as number) + entry - reach;
  }
}

/** Among entries that share their first word: the first one above the whole number of 128 bits. */
function decide({ words }: NoiseTable, from: number, word: number, uniform: WordStream): number {
  const rest = [uniform.next(), uniform.next(), uniform.next()] as const;
  let low = from;
  let high = words[0].length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAbove(words, middle, [word, ...rest])) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isAbove(words: NoiseTable['words'], entry: number, number: readonly number[]): boolean {
  for (let w = 0; w < 4; w++) {
    // w is 0 to 3.
    const threshold = (words[w] as Uint32Array)[entry] as number;
    const word = number[w] as number;
    if (threshold !== word) return threshold > word;
  }
  return false;
}

class WordStream {
  readonly #next: NextBytes;
  #words = new Uint32Array(0);
  #at = 0;

  constructor(next: NextBytes) {
    this.#next = next;
  }

  next(): number {
    if (this.#at === this.#words.length) {
      const bytes = this.#next(4 * BLOCK_WORDS);
      invariant(bytes.length === 4 * BLOCK_WORDS, 'a stream of bytes gives as many as it is asked for');
      // Little-endian, as everywhere; a copy is aligned.
      this.#words = new Uint32Array(bytes.slice().buffer);
      this.#at = 0;
    }
    return this.#words[this.#at++] as number;
  }
}
