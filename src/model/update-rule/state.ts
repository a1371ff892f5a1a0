// The memory of an update rule as bytes: float64 vectors one after the other, little-endian, nothing else. An empty array stands for
// all zeros, the state before the first round.

import { readNumbers, writeNumbers } from '../../base/index.js';
import { ModelError } from '../errors.js';

/** Splits `state` into `count` vectors of `length`. Throws `model/bad-update`. */
export function readState(state: Uint8Array, count: number, length: number): Float64Array[] {
  if (state.length === 0) return Array.from({ length: count }, () => new Float64Array(length));
  if (state.length !== 8 * count * length)
    throw new ModelError(
      'model/bad-update',
      `state of ${String(state.length)} bytes, the rule keeps ${String(8 * count * length)}`,
    );
  return Array.from({ length: count }, (_, vector) => {
    const values = new Float64Array(length);
    readNumbers(values, state.subarray(8 * vector * length));
    return values;
  });
}

export function writeState(vectors: readonly Float64Array[]): Uint8Array {
  const length = vectors[0]?.length ?? 0;
  const bytes = new Uint8Array(8 * vectors.length * length);
  for (const [vector, values] of vectors.entries()) writeNumbers(bytes.subarray(8 * vector * length), values);
  return bytes;
}
