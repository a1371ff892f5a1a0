// Words as bytes on the wire: value k occupies bits [k·w, (k+1)·w) of a little-endian bit string. w = m for masked vectors and m + 8
// for their integer sum, so 16 to 40. The last byte is padded with zero bits.

import { invariant } from '../base/index.js';
import type { WideSums } from './kernels/adder.js';
import { packValues, packWide, unpackValues } from './kernels/packer.js';

const WIDTH_MAX = 44;

/** Bytes of `count` values of `width` bits. */
export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/** Packs values from 0 to 2^width − 1. With chunks, every chunk but the last must hold a multiple of 8 values. */
export function pack(values: ArrayLike<number>, width: number): Uint8Array<ArrayBuffer> {
  invariant(
    width >= 1 && width <= WIDTH_MAX,
    'widths from 1 to 44 bits fit a 64-bit word with the seven bits before them',
  );
  const typed = values instanceof Uint32Array || values instanceof Float64Array ? values : Float64Array.from(values);
  const out = new Uint8Array(packedBytes(typed.length, width));
  packValues(typed, width, out);
  return out;
}

/** As `pack` for `count` sums from `start` on. */
export function packSums(sums: WideSums, start: number, count: number, width: number): Uint8Array<ArrayBuffer> {
  invariant(width >= 1 && width <= WIDTH_MAX, 'as for pack');
  const out = new Uint8Array(packedBytes(count, width));
  packWide(sums, start, count, width, out);
  return out;
}

/** The inverse of `pack` into `into`, whose length says how many values to read; 32-bit words take widths up to 32. */
export function unpackInto(into: Float64Array | Uint32Array, bytes: Uint8Array, width: number): void {
  invariant(bytes.length >= packedBytes(into.length, width), 'enough bytes for the values asked for');
  invariant(width <= (into instanceof Uint32Array ? 32 : WIDTH_MAX), 'the values fit where they are to be');
  unpackValues(into, bytes, width);
}

/** Masked words on the wire. For m = 32 they are little-endian words, copied; otherwise packed. */
export function packWords(words: Int32Array, modulusBits: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(packedBytes(words.length, modulusBits));
  packWordsInto(out, words, modulusBits);
  return out;
}

/** The same into `out`, which has exactly the bytes they need. */
export function packWordsInto(out: Uint8Array, words: Int32Array, modulusBits: number): void {
  invariant(out.length === packedBytes(words.length, modulusBits), 'room for the words and no more');
  if (modulusBits === 32) out.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  else packValues(new Uint32Array(words.buffer, words.byteOffset, words.length), modulusBits, out);
}

/** `count` words from the wire. */
export function unpackWords(bytes: Uint8Array, count: number, modulusBits: number): Uint32Array {
  const words = new Uint32Array(count);
  unpackWordsInto(words, bytes, modulusBits);
  return words;
}

/** As many words as `into` has room for. */
export function unpackWordsInto(into: Uint32Array, bytes: Uint8Array, modulusBits: number): void {
  if (modulusBits === 32)
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes.subarray(0, 4 * into.length));
  else unpackInto(into, bytes, modulusBits);
}

/** Bits of one coordinate of the integer sum of at most 200 masked vectors. */
export function sumWidth(modulusBits: number): number {
  return modulusBits + 8;
}
