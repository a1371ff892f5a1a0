// Poisson sampling: every unit takes part in a step with probability q, whatever the others do. The accountants rest on this; a batch of
// fixed size drawn without it would cost more than they say.

import type { NextBytes } from './draw.js';

const WORDS = 2 ** 21;

/**
 * The units of 0 .. count - 1 that take part, in order. 53 bits decide for each, so the probability is q cut to a multiple of 2^-53: never
 * above it.
 */
export function poissonSample(count: number, sampling: number, next: NextBytes): number[] {
  const bytes = next(8 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const below = Math.floor(sampling * 2 ** 53);
  const sampled: number[] = [];
  for (let unit = 0; unit < count; unit++) {
    const number = view.getUint32(8 * unit, true) * WORDS + (view.getUint32(8 * unit + 4, true) >>> 11);
    if (number < below) sampled.push(unit);
  }
  return sampled;
}
