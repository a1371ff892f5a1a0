// Words as bytes on the wire: value k occupies bits [k·w, (k+1)·w) of a little-endian bit string. w = m for masked vectors and m + 8
// for their integer sum, so 16 to 40. The last byte is padded with zero bits.

import { invariant } from '../base/index.js';

/** Bytes of `count` values of `width` bits. */
export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/** Packs values from 0 to 2^width − 1. With chunks, every chunk but the last must hold a multiple of 8 values. */
export function pack(values: ArrayLike<number>, width: number): Uint8Array<ArrayBuffer> {
  invariant(width >= 1 && width <= 44, 'widths from 1 to 44 bits fit a double with seven bits to spare');
  const out = new Uint8Array(packedBytes(values.length, width));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    // i is below the length. held < 2^7 and value < 2^44: the sum is exact in a double.
    held += (values[i] as number) * 2 ** bits;
    bits += width;
    while (bits >= 8) {
      out[at++] = held % 256;
      held = Math.floor(held / 256);
      bits -= 8;
    }
  }
  if (bits > 0) out[at] = held;
  return out;
}

/** The inverse of `pack` into `into`, whose length says how many values to read. */
export function unpackInto(into: Float64Array | Uint32Array, bytes: Uint8Array, width: number): void {
  invariant(bytes.length >= packedBytes(into.length, width), 'enough bytes for the values asked for');
  const modulus = 2 ** width;
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < into.length; i++) {
    while (bits < width) {
      held += (bytes[at++] ?? 0) * 2 ** bits;
      bits += 8;
    }
    into[i] = held % modulus;
    held = Math.floor(held / modulus);
    bits -= width;
  }
}

/** Masked words on the wire. For m = 32 they are little-endian words, copied; otherwise packed. */
export function packWords(words: Int32Array, modulusBits: number): Uint8Array<ArrayBuffer> {
  const unsigned = new Uint32Array(words.buffer, words.byteOffset, words.length);
  if (modulusBits !== 32) return pack(unsigned, modulusBits);
  const out = new Uint8Array(words.length * 4);
  out.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  return out;
}

/** `count` words from the wire. */
export function unpackWords(bytes: Uint8Array, count: number, modulusBits: number): Uint32Array {
  const words = new Uint32Array(count);
  if (modulusBits === 32) new Uint8Array(words.buffer).set(bytes.subarray(0, 4 * count));
  else unpackInto(words, bytes, modulusBits);
  return words;
}

/** Bits of one coordinate of the integer sum of at most 200 masked vectors. */
export function sumWidth(modulusBits: number): number {
  return modulusBits + 8;
}
