// What silos put in, and so what a sum must be.

import type { Segment } from '../../src/wire/index.js';
import { BASE, powerSegment } from '../support/memory/founding.js';

/** Silos that share a coordinate. Fewer than the ten of other tests: thirty silos of the largest input must not overflow. */
const SHARING = 8;

/** The layout of these inputs. */
export function inputSegment(silos: number): Segment {
  return {
    ...powerSegment(silos),
    length: BigInt(Math.ceil(silos / SHARING)),
    quantiser: { $case: 'integer', value: { max: BigInt(BASE ** (SHARING - 1)) } },
  };
}

/** BASE to the power of the silo's number: a wrong sum names the silo. */
export function inputOf(index: number, length: number): Int32Array {
  const vector = new Int32Array(length);
  vector[Math.floor(index / SHARING)] = BASE ** (index % SHARING);
  return vector;
}

/** The sum of these silos' inputs. */
export function sumOf(indices: Iterable<number>, length: number): Int32Array {
  const sum = new Int32Array(length);
  for (const index of indices) inputOf(index, length).forEach((value, k) => (sum[k]! += value));
  return sum;
}
