// Rounding whose result is known to be short. Stochastic rounding can lengthen a vector by up to sqrt(d); drawn again until it is not
// longer than what rounding does on average, a vector's sensitivity hardly grows. Kairouz, Liu, Steinke (2021), §4.2.

import { l2Norm } from '../../vector/index.js';
import { PrivacyError } from '../errors.js';
import type { NextBytes } from './draw.js';

/** e^(-1/2): with this chance or less a rounding of a vector within the clip is longer than the bound. */
const BETA = Math.exp(-0.5);
/** A vector within the clip fails this often with a chance below 1e-21. */
const TRIES_MAX = 100;

/** Bound on the L2 norm after rounding, in quantised units, of a vector no longer than `clip` quantised units. */
export function roundedNormBound(clip: number, dimensions: number): number {
  const worst = clip + Math.sqrt(dimensions);
  const likely = clip * clip + dimensions / 4 + Math.sqrt(2 * Math.log(1 / BETA)) * (clip + Math.sqrt(dimensions) / 2);
  return Math.min(worst, Math.sqrt(likely));
}

/**
 * Rounds each value up or down, without bias but for the condition, until the whole is within `bound`.
 * Throws PrivacyError `privacy/bad-sampler` when that does not happen: the vector was longer than its clip.
 */
export function roundConditionally(values: Float64Array, bound: number, next: NextBytes): Int32Array {
  const out = new Int32Array(values.length);
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    const words = new Uint32Array(next(4 * values.length).slice().buffer);
    for (let i = 0; i < values.length; i++)
      out[i] = Math.floor((values[i] as number) + (words[i] as number) * 2 ** -32);
    if (l2Norm(out) <= bound) return out;
  }
  throw new PrivacyError('privacy/bad-sampler', `no rounding within ${String(bound)} in ${String(TRIES_MAX)} tries.`);
}
