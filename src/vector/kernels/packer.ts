// Packing and unpacking in blocks (pack.wat). A block of a multiple of eight values ends at a whole byte, whatever their width.

import { MODULE } from './gen/pack.js';
import { bytesOf, kernel } from './instance.js';
import type { WideSums } from './adder.js';

type Turn = (from: number, count: number, width: number, to: number) => void;

const packing = kernel<{
  readonly packWords: Turn;
  readonly packDoubles: Turn;
  readonly packSums: (low: number, high: number, count: number, width: number, to: number) => void;
  readonly unpackWords: Turn;
  readonly unpackDoubles: Turn;
}>(MODULE);

const BLOCK = 16 * 1024;
// Values first, then the bit string: up to 44 bits of each value and 8 bytes that the kernel touches behind it.
const STRING = 8 * BLOCK;
const HIGH = 4 * BLOCK;

/** Writes `values` of `width` bits into `out`, which has exactly the bytes they need. */
export function packValues(values: Float64Array | Uint32Array, width: number, out: Uint8Array): void {
  const { run, bytes } = packing();
  const turn = values instanceof Uint32Array ? run.packWords : run.packDoubles;
  for (let at = 0; at < values.length; at += BLOCK) {
    const part = values.subarray(at, at + BLOCK);
    bytes.set(bytesOf(part));
    turn(0, part.length, width, STRING);
    out.set(bytes.subarray(STRING, STRING + packed(part.length, width)), (at * width) / 8);
  }
}

/** As `packValues` for sums `start` to `start + count`. */
export function packWide(sums: WideSums, start: number, count: number, width: number, out: Uint8Array): void {
  const { run, bytes } = packing();
  for (let at = 0; at < count; at += BLOCK) {
    const size = Math.min(BLOCK, count - at);
    const from = start + at;
    bytes.set(bytesOf(sums.low.subarray(from, from + size)));
    bytes.set(sums.high.subarray(from, from + size), HIGH);
    run.packSums(0, HIGH, size, width, STRING);
    out.set(bytes.subarray(STRING, STRING + packed(size, width)), (at * width) / 8);
  }
}

/** The inverse of `packValues`: as many values as `into` has room for. */
export function unpackValues(into: Float64Array | Uint32Array, from: Uint8Array, width: number): void {
  const { run, bytes } = packing();
  const turn = into instanceof Uint32Array ? run.unpackWords : run.unpackDoubles;
  for (let at = 0; at < into.length; at += BLOCK) {
    const part = bytesOf(into.subarray(at, at + BLOCK));
    const count = Math.min(BLOCK, into.length - at);
    const begin = (at * width) / 8;
    bytes.set(from.subarray(begin, begin + packed(count, width)), STRING);
    turn(STRING, count, width, 0);
    part.set(bytes.subarray(0, part.length));
  }
}

function packed(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}
