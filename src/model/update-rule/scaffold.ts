// SCAFFOLD, the common part (Karimireddy et al. 2020, algorithm 1): c <- c + (|S| / N) * mean over S of (c_i' - c_i), S the silos of the
// round, N all silos of the job. Pinned arithmetic, as for update rules (rule.ts).

import { readState, writeState } from './state.js';
import { ModelError } from '../errors.js';

/** c of `length` from the bytes that `advanceControl` wrote; zeros for no bytes. Throws `model/bad-update`. */
export function readControl(bytes: Uint8Array, length: number): Float64Array {
  // One vector was asked for.
  return readState(bytes, 1, length)[0] as Float64Array;
}

/** `share`: |S| / N. Throws `model/bad-update` when c stops being finite. */
export function advanceControl(bytes: Uint8Array, meanChange: Float64Array, share: number): Uint8Array {
  const control = readControl(bytes, meanChange.length);
  for (let i = 0; i < control.length; i++) {
    // Both have the same length.
    const next = (control[i] as number) + share * (meanChange[i] as number);
    if (!Number.isFinite(next))
      throw new ModelError('model/bad-update', `the control variate ${String(i)} is not finite`);
    control[i] = next;
  }
  return writeState([control]);
}
