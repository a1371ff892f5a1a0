// The arithmetic on ranges of a vector that a round needs beside its masks: fingerprints of words and of sums, and the opened sum. Ranges
// begin at multiples of 8 coordinates, are independent of each other, and may be worked on in any order and on any thread.

import type { Hash } from '../../base/index.js';
import { centreInto, Fingerprint, lowWordsInto, packedBytes, sumWidth, unpackInto } from '../../vector/index.js';
import { applyMasks, type MaskKeys } from '../masking.js';
import { weightStreams } from '../weights.js';

/** Coordinates in one piece: a multiple of 8, so that pieces of packed values end at whole bytes. */
export const PIECE_COORDINATES = 1 << 16;

/** A range of the packed integer sum. */
export interface SumRange {
  readonly sums: Uint8Array;
  /** Coordinate of the first of them. */
  readonly start: number;
  readonly count: number;
  /** m. */
  readonly bits: number;
}

/** What a range adds to a check. */
export interface RangeFacts {
  readonly largest: number;
  /** Of the sums, mod 2^61 − 1: those of all ranges add up to the whole sum's. */
  readonly prints: readonly [bigint, bigint];
}

/** tau0 and tau1 of masked words, as a part of the whole input's. */
export function fingerprintRange(words: Uint32Array, start: number, t3: Hash): [bigint, bigint] {
  const prints = printers(t3, start);
  for (let at = 0; at < words.length; at += PIECE_COORDINATES) {
    const piece = words.subarray(at, at + PIECE_COORDINATES);
    for (const print of prints) print.update(piece);
  }
  return digests(prints);
}

/** The same of a range of the sum. */
export function fingerprintSums(range: SumRange, t3: Hash): [bigint, bigint] {
  const prints = printers(t3, range.start);
  for (const { sums } of pieces(range)) for (const print of prints) print.update(sums);
  return digests(prints);
}

/** Removes the remaining masks: signed integers, into `opened`, which has room for the range. */
export function openRange(range: SumRange, keys: MaskKeys, opened: Int32Array): void {
  for (const { sums, at } of pieces(range)) lowWordsInto(opened.subarray(at, at + sums.length), sums);
  applyMasks(opened, range.start, keys, range.bits);
  centreInto(opened, range.bits);
}

/** Both at once, and the largest coordinate. */
export function examineRange(range: SumRange, keys: MaskKeys, t3: Hash, opened: Int32Array): RangeFacts {
  const prints = printers(t3, range.start);
  let largest = 0;
  for (const { sums, at } of pieces(range)) {
    largest = Math.max(largest, largestOf(sums));
    for (const print of prints) print.update(sums);
    lowWordsInto(opened.subarray(at, at + sums.length), sums);
  }
  applyMasks(opened, range.start, keys, range.bits);
  centreInto(opened, range.bits);
  return { largest, prints: digests(prints) };
}

interface Printer {
  update(values: Uint32Array | Float64Array): void;
  digest(): bigint;
}

function printers(t3: Hash, start: number): [Printer, Printer] {
  const [first, second] = weightStreams(t3, start).map((weights): Printer => {
    const print = new Fingerprint();
    return {
      update: (values) => {
        print.update(values, weights.next(values.length));
      },
      digest: () => print.digest(),
    };
  });
  // There are two streams.
  return [first as Printer, second as Printer];
}

function digests([first, second]: readonly [Printer, Printer]): [bigint, bigint] {
  return [first.digest(), second.digest()];
}

/** The sums of a range as doubles, a piece at a time in the same memory. */
function* pieces({ sums, count, bits }: SumRange): Generator<{ readonly sums: Float64Array; readonly at: number }> {
  const width = sumWidth(bits);
  const room = new Float64Array(Math.min(PIECE_COORDINATES, count));
  for (let at = 0; at < count; at += PIECE_COORDINATES) {
    const values = room.subarray(0, Math.min(PIECE_COORDINATES, count - at));
    unpackInto(values, sums.subarray(packedBytes(at, width)), width);
    yield { sums: values, at };
  }
}

function largestOf(values: Float64Array): number {
  let largest = 0;
  // i is below the length.
  for (let i = 0; i < values.length; i++) if ((values[i] as number) > largest) largest = values[i] as number;
  return largest;
}
