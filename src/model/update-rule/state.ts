// The memory of an update rule as bytes: float64 vectors one after the other, little-endian, nothing else. An empty array stands for
// all zeros, the state before the first round.

import { ModelError } from '../errors.js';

/** Splits `state` into `count` vectors of `length`. Throws `model/bad-update`. */
export function readState(state: Uint8Array, count: number, length: number): Float64Array[] {
  if (state.length === 0) return Array.from({ length: count }, () => new Float64Array(length));
  if (state.length !== 8 * count * length)
    throw new ModelError(
      'model/bad-update',
      `state of ${String(state.length)} bytes, the rule keeps ${String(8 * count * length)}`,
    );
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  return Array.from({ length: count }, (_, vector) =>
    Float64Array.from({ length }, (_, i) => view.getFloat64(8 * (vector * length + i), true)),
  );
}

export function writeState(vectors: readonly Float64Array[]): Uint8Array {
  const length = vectors[0]?.length ?? 0;
  const bytes = new Uint8Array(8 * vectors.length * length);
  const view = new DataView(bytes.buffer);
  for (const [vector, values] of vectors.entries())
    for (const [i, value] of values.entries()) view.setFloat64(8 * (vector * length + i), value, true);
  return bytes;
}
