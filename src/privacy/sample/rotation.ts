// The randomised Hadamard rotation: flattens a vector, so that no coordinate is much longer than norm / sqrt(d) and a small modulus
// suffices. Signs come from a public seed; the rotation hides nothing, and its inverse is applied to the opened sum.
// Suresh et al. (2017), "Distributed Mean Estimation with Limited Communication".

import { invariant } from '../../base/index.js';
import type { NextBytes } from './draw.js';

/** Length of the rotated vector: the next power of two; what is added is zero. */
export function rotatedLength(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, length)));
}

/** Signs of `length` coordinates from a public stream: a set bit is a minus, least significant first. */
export function signsFrom(next: NextBytes, length: number): Int8Array {
  const bytes = next(Math.ceil(length / 8));
  return Int8Array.from({ length }, (_, i) => (((bytes[i >> 3] ?? 0) >> (i & 7)) & 1 ? -1 : 1));
}

/** H D x / sqrt(d) in place; the length is a power of two. Keeps the L2 norm. */
export function rotateInto(values: Float64Array, signs: Int8Array): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * (signs[i] as number);
  hadamardInto(values);
}

/** The inverse of `rotateInto`: D H x / sqrt(d). */
export function rotateBackInto(values: Float64Array, signs: Int8Array): void {
  hadamardInto(values);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * (signs[i] as number);
}

/** The fast Walsh-Hadamard transform, divided by the square root of the length: its own inverse. */
function hadamardInto(values: Float64Array): void {
  const n = values.length;
  invariant(n >= 1 && (n & (n - 1)) === 0, 'a rotation has a power of two of values');
  for (let half = 1; half < n; half *= 2)
    for (let start = 0; start < n; start += 2 * half)
      for (let i = start; i < start + half; i++) {
        // i + half is below n.
        const x = values[i] as number;
        const y = values[i + half] as number;
        values[i] = x + y;
        values[i + half] = x - y;
      }
  const scale = 1 / Math.sqrt(n);
  for (let i = 0; i < n; i++) values[i] = (values[i] as number) * scale;
}
