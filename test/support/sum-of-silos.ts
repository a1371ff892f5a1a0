// Adds up quantised contributions as a round would, without the masks.

import { quantise, type Layout, type SegmentValues } from '../../src/vector/index.js';

/** Seeded words for stochastic rounding: a 32-bit linear congruential generator, good enough to round by. */
export function roundingWords(seed: number): (count: number) => Uint32Array {
  let state = seed >>> 0;
  return (count) =>
    Uint32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    });
}

export function sumOf(layout: Layout, silos: readonly (readonly SegmentValues[])[]): Int32Array {
  const sum = new Int32Array(layout.length);
  silos.forEach((parts, seed) => {
    quantise(layout, parts, roundingWords(seed + 1)).values.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
  });
  return sum;
}
