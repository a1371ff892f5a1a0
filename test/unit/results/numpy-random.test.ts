// Permutations that NumPy's documentation and forums have shown for years.

import { describe, expect, it } from 'vitest';
import { NumpyRandom } from '../../../tools/results/numpy-random.js';
import { publishedSplit } from '../../../tools/results/published-split.js';

describe('NumPy’s legacy generator', () => {
  it.each([
    [42, [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]],
    [0, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]],
  ])('permutes ten under seed %d as NumPy does', (seed, expected) => {
    expect(new NumpyRandom(seed).permutation(10)).toEqual(expected);
  });
});

describe('the published split', () => {
  it.each([
    [303, 139, 199],
    [261, 98, 172],
    [46, 43, 30],
    [130, 98, 85],
  ])('of %d rows with %d sick has the published sizes and shares', (rows, sick, trained) => {
    const labels = Array.from({ length: rows }, (_, i) => (i < sick ? 1 : 0));
    const { train, test } = publishedSplit(labels);
    expect([train.length, test.length]).toEqual([trained, rows - trained]);
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    const sickTested = test.filter((row) => labels[row] === 1).length;
    expect(Math.abs(sickTested - (sick * (rows - trained)) / rows)).toBeLessThan(1);
    expect(publishedSplit(labels)).toEqual({ train, test });
  });
});
