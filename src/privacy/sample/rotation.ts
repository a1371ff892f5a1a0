// The randomised Hadamard rotation: flattens a vector, so that no coordinate is much longer than norm / sqrt(d) and a small modulus
// suffices. Signs come from a public stream; the rotation hides nothing, and its inverse is applied to the opened sum.
// Suresh et al. (2017), "Distributed Mean Estimation with Limited Communication".
//
// A Hadamard matrix has a power of two of rows. Padding a vector to the next one would cost up to twice the bytes of every upload, so
// nothing is padded: with P the largest power of two up to d, the first P coordinates are rotated, and then the last P, which share
// 2P - d of them. Both steps are orthogonal, so the L2 norm stays; every coordinate of the result went through at least one of them.

import { invariant } from '../../base/index.js';
import type { NextBytes } from './draw.js';

/** Signs of both steps: a set bit is a minus, least significant first. */
export interface Rotation {
  /** P. */
  readonly width: number;
  readonly first: Uint8Array;
  /** Undefined where d is a power of two and one step turns everything. */
  readonly second: Uint8Array | undefined;
}

/** The rotation of d coordinates by a stream that is read from its beginning: ceil(P / 8) bytes for each step. */
export function rotationFrom(next: NextBytes, dimensions: number): Rotation {
  const width = rotatedWidth(dimensions);
  const bytes = Math.ceil(width / 8);
  return { width, first: next(bytes), second: width === dimensions ? undefined : next(bytes) };
}

/** P: the largest power of two that is not above the number of coordinates. */
export function rotatedWidth(dimensions: number): number {
  invariant(Number.isSafeInteger(dimensions) && dimensions >= 1, 'a rotation turns at least one coordinate');
  let width = 1;
  while (2 * width <= dimensions) width *= 2;
  return width;
}

/** In place. Keeps the L2 norm. */
export function rotateInto(values: Float64Array, { width, first, second }: Rotation): void {
  turnInto(values.subarray(0, width), first);
  if (second !== undefined) turnInto(values.subarray(values.length - width), second);
}

/** The inverse of `rotateInto`. */
export function rotateBackInto(values: Float64Array, { width, first, second }: Rotation): void {
  if (second !== undefined) turnBackInto(values.subarray(values.length - width), second);
  turnBackInto(values.subarray(0, width), first);
}

/** Chance that any coordinate of one rotated vector exceeds `flattened`; it is then cut, which biases it and costs no privacy. */
const EXCEEDED = 2 ** -40;

/**
 * What no coordinate of a rotated vector exceeds, as a part of the vector's L2 norm. A coordinate is a sum of terms of random sign whose
 * squares add up to at most norm^2 / P; by Hoeffding it exceeds t norm / sqrt(P) with a chance of at most 2 e^(-t^2 / 2). No part of a
 * vector is longer than the whole.
 */
export function flattened(dimensions: number): number {
  const deviations = Math.sqrt(2 * Math.log((2 * dimensions) / EXCEEDED));
  return Math.min(1, deviations / Math.sqrt(rotatedWidth(dimensions)));
}

/** H D x / sqrt(P). */
function turnInto(values: Float64Array, signs: Uint8Array): void {
  signInto(values, signs);
  hadamardInto(values);
}

/** D H x / sqrt(P). */
function turnBackInto(values: Float64Array, signs: Uint8Array): void {
  hadamardInto(values);
  signInto(values, signs);
}

function signInto(values: Float64Array, signs: Uint8Array): void {
  // i is below the length, and there is a bit for each value.
  for (let i = 0; i < values.length; i++)
    if (((signs[i >> 3] as number) >> (i & 7)) & 1) values[i] = -(values[i] as number);
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
