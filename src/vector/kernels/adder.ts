// The integer sum of words, 40 bits wide (sum.wat), and back from doubles to words.

import { invariant } from '../../base/index.js';
import { MODULE } from './gen/sum.js';
import { bytesOf, kernel, roundedUp } from './instance.js';

const summing = kernel<{
  readonly addCarry: (low: number, high: number, words: number, count: number) => void;
  readonly lowWords: (doubles: number, words: number, count: number) => void;
}>(MODULE);

const BLOCK = 16 * 1024;
const LANES = 16;
// Low words, what is added to them, high bytes; of the other function, doubles and words.
const ADDED = 4 * BLOCK;
const HIGH = 8 * BLOCK;

/** Coordinates of at most 40 bits: the low 32 and the high 8 apart, 5 bytes each. */
export interface WideSums {
  readonly low: Uint32Array;
  readonly high: Uint8Array;
}

/** Room for `length` sums, all zero. */
export function wideSums(length: number): WideSums {
  return { low: new Uint32Array(length), high: new Uint8Array(length) };
}

/** sums[start + k] += words[k] for every word. The caller adds at most 256 times: then nothing leaves 40 bits. */
export function addWords(sums: WideSums, start: number, words: Uint32Array): void {
  invariant(start + words.length <= sums.low.length, 'the words lie within the sums');
  const { run, bytes } = summing();
  for (let at = 0; at < words.length; at += BLOCK) {
    const count = Math.min(BLOCK, words.length - at);
    const low = bytesOf(sums.low.subarray(start + at, start + at + count));
    const high = sums.high.subarray(start + at, start + at + count);
    bytes.set(low);
    bytes.set(bytesOf(words.subarray(at, at + count)), ADDED);
    bytes.set(high, HIGH);
    run.addCarry(0, HIGH, ADDED, roundedUp(count, LANES));
    low.set(bytes.subarray(0, 4 * count));
    high.set(bytes.subarray(HIGH, HIGH + count));
  }
}

/** sums[start + k] += values[k] for whole numbers of at most 40 bits: sums that somebody else has made of other inputs. */
export function addSums(sums: WideSums, start: number, values: Float64Array): void {
  invariant(start + values.length <= sums.low.length, 'the values lie within the sums');
  const { low, high } = sums;
  for (let k = 0, at = start; k < values.length; k++, at++) {
    // Below 2^42, so exact.
    const total = (high[at] ?? 0) * TWO_32 + (low[at] ?? 0) + (values[k] ?? 0);
    low[at] = total >>> 0;
    high[at] = Math.floor(total / TWO_32);
  }
}

const TWO_32 = 2 ** 32;

/** The low 32 bits of whole numbers from 0 to 2^52 − 1. */
export function lowWords(values: Float64Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(values.length);
  lowWordsInto(out, values);
  return out;
}

/** The same into `out`, which has as many places. */
export function lowWordsInto(out: Int32Array, values: Float64Array): void {
  invariant(out.length === values.length, 'a place for each word');
  const { run, bytes } = summing();
  for (let at = 0; at < values.length; at += BLOCK) {
    const part = bytesOf(values.subarray(at, at + BLOCK));
    bytes.set(part);
    run.lowWords(0, HIGH, roundedUp(part.length / 8, LANES));
    bytesOf(out).set(bytes.subarray(HIGH, HIGH + part.length / 2), 4 * at);
  }
}
