// What silos put in, and so what a sum must be.

import { BASE } from '../support/memory/founding.js';

/** BASE to the power of the silo's number: a wrong sum names the silo. */
export function inputOf(index: number, length: number): Int32Array {
  const vector = new Int32Array(length);
  vector[Math.floor(index / 10)] = BASE ** (index % 10);
  return vector;
}

/** The sum of these silos' inputs. */
export function sumOf(indices: Iterable<number>, length: number): Int32Array {
  const sum = new Int32Array(length);
  for (const index of indices) inputOf(index, length).forEach((value, k) => (sum[k]! += value));
  return sum;
}
