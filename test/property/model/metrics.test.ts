// The area under the curve from histograms, against the definition by pairs.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aucFromHistograms, scoreBin } from '../../../src/model/index.js';

/** The slow twin: the share of pairs in which the positive scores higher, ties half. */
function aucByPairs(positives: readonly number[], negatives: readonly number[]): number {
  let won = 0;
  for (const p of positives) for (const n of negatives) won += p > n ? 1 : p === n ? 0.5 : 0;
  return won / (positives.length * negatives.length);
}

function histogram(scores: readonly number[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const score of scores) counts[scoreBin(score, bins)]!++;
  return counts;
}

const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('the area under the curve from histograms', () => {
  it('differs from the exact one by at most the stated bound', () => {
    fc.assert(
      fc.property(scores, scores, fc.integer({ min: 1, max: 50 }), (positives, negatives, bins) => {
        const result = aucFromHistograms(histogram(positives, bins), histogram(negatives, bins));
        const exact = aucByPairs(positives, negatives);
        expect(Math.abs(result!.auc - exact)).toBeLessThanOrEqual(result!.errorBound + 1e-12);
      }),
    );
  });

  it('turns to its complement when the classes change places', () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const [p, n] = [histogram(positives, 16), histogram(negatives, 16)];
        expect(aucFromHistograms(p, n)!.auc + aucFromHistograms(n, p)!.auc).toBeCloseTo(1, 12);
      }),
    );
  });

  it('puts every score into a bin that holds it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (score, bins) => {
        const bin = scoreBin(score, bins);
        expect(bin).toBeGreaterThanOrEqual(0);
        expect(bin).toBeLessThan(bins);
        expect(Math.abs((bin + 0.5) / bins - score)).toBeLessThanOrEqual(0.5 / bins + 1e-12);
      }),
    );
  });
});
