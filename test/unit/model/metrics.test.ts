import { describe, expect, it } from 'vitest';
import {
  accuracy,
  aucFromHistograms,
  scoreBin,
  averagePrecision,
  calibration,
  confusionAtHalf,
} from '../../../src/model/index.js';
import { seededFloats } from '../../support/onnx-models.js';

describe('metrics from sums', () => {
  it('gives an area of one for classes that do not overlap, without error', () => {
    expect(aucFromHistograms([0, 0, 5], [3, 1, 0])).toEqual({ auc: 1, errorBound: 0 });
  });
  it('gives one half with full uncertainty when all scores share a bin', () => {
    expect(aucFromHistograms([4], [9])).toEqual({ auc: 0.5, errorBound: 0.5 });
  });
  it('knows the area of a small case', () => {
    // Pairs: positives in bins 1, 2; negatives in bins 0, 1, 1: won 1 + 3, tied 2, of 6.
    const { auc, errorBound } = aucFromHistograms([0, 1, 1], [1, 2, 0])!;
    expect(auc).toBeCloseTo(5 / 6, 12);
    expect(errorBound).toBeCloseTo(1 / 6, 12);
  });
  it('has no area when a class is absent', () => {
    expect(aucFromHistograms([0, 0], [1, 2])).toBeUndefined();
    expect(aucFromHistograms([1, 0], [0, 0])).toBeUndefined();
  });
  it('refuses histograms of unequal length', () => {
    expect(() => aucFromHistograms([1], [1, 2])).toThrow(/differ in length/);
  });
  it.each([-1, Number.NaN, Infinity])('refuses a count of %s', (bad) => {
    expect(() => aucFromHistograms([1, bad], [1, 2])).toThrow(/below zero/);
  });
  it('closes the last bin', () => {
    expect([0, 0.25, 0.5, 0.999, 1].map((score) => scoreBin(score, 4))).toEqual([0, 1, 2, 3, 3]);
  });
  it.each([-0.1, 1.1, Number.NaN])('refuses a score of %s', (bad) => {
    expect(() => scoreBin(bad, 4)).toThrow(expect.objectContaining({ code: 'model/bad-scores' }));
  });
  it('divides the correct by the count', () => {
    expect(accuracy(3, 4)).toBe(0.75);
    expect(accuracy(0, 0)).toBeUndefined();
  });
  it('refuses more correct rows than rows', () => {
    expect(() => accuracy(5, 4)).toThrow(expect.objectContaining({ code: 'model/bad-scores' }));
  });
});

/** By definition, over every single score, highest first; equal scores stand in the given order. */
function preciseAt(ranked: readonly boolean[]): number {
  let truths = 0;
  const precisions = ranked.flatMap((positive, i) => (positive ? [++truths / (i + 1)] : []));
  return precisions.reduce((a, b) => a + b, 0) / precisions.length;
}

describe('average precision', () => {
  it('is bounded by the best and the worst order within each bin', () => {
    // Highest bin: 2 positives, 1 negative; lower: 1 positive, 2 negatives.
    const { value, errorBound } = averagePrecision([1, 2], [2, 1])!;
    const best = preciseAt([true, true, false, true, false, false]);
    const worst = preciseAt([false, true, true, false, false, true]);
    expect(value + errorBound).toBeCloseTo(best, 12);
    expect(value - errorBound).toBeCloseTo(worst, 12);
  });

  it('is exact where no bin is mixed, also for very many records', () => {
    expect(averagePrecision([0, 5], [7, 0])).toEqual({ value: 1, errorBound: 0 });
    const many = averagePrecision([1e7, 0], [0, 1e7])!;
    expect(many.errorBound).toBe(0);
    // All negatives first: sum of j / (j + n) over n, which tends to 1 - ln 2.
    expect(many.value).toBeCloseTo(1 - Math.LN2, 6);
    expect(averagePrecision([0, 0], [3, 1])).toBeUndefined();
  });

  it('refuses counts below zero', () => {
    expect(() => averagePrecision([-1], [1])).toThrow(expect.objectContaining({ code: 'model/bad-scores' }));
  });
});

describe('calibration', () => {
  it('gives Brier score and calibration error of scores in the middle of their bins', () => {
    // Four bins: 0.125 with 3 negatives and 1 positive, 0.875 with 4 positives.
    const found = calibration([1, 0, 0, 4], [3, 0, 0, 0])!;
    expect(found.brier).toBeCloseTo((3 * 0.125 ** 2 + 0.875 ** 2 + 4 * 0.125 ** 2) / 8, 12);
    expect(found.expectedError).toBeCloseTo((Math.abs(1 - 0.5) + Math.abs(4 - 3.5)) / 8, 12);
    expect(found.expectedErrorBound).toBe(0.125);
  });

  it('bounds the Brier score of the scores themselves', () => {
    const scores = seededFloats(500, 4).map((value) => Math.min(0.999, Math.abs(value)));
    const targets = scores.map((_, i) => (i % 3 === 0 ? 1 : 0));
    const [positives, negatives] = [new Float64Array(10), new Float64Array(10)];
    scores.forEach((score, i) => {
      (targets[i] === 1 ? positives : negatives)[scoreBin(score, 10)]! += 1;
    });
    const exact = scores.reduce((sum, score, i) => sum + (score - targets[i]!) ** 2, 0) / scores.length;
    const { brier, brierErrorBound } = calibration(positives, negatives)!;
    expect(Math.abs(brier - exact)).toBeLessThanOrEqual(brierErrorBound);
    expect(brierErrorBound).toBeLessThan(0.1);
  });

  it('counts decisions at one half, where a bin ends there', () => {
    expect(confusionAtHalf([1, 2, 3, 4], [5, 6, 7, 8])).toEqual({
      truePositives: 7,
      falsePositives: 15,
      trueNegatives: 11,
      falseNegatives: 3,
    });
    expect(confusionAtHalf([1, 2, 3], [1, 2, 3])).toBeUndefined();
    expect(calibration([0], [0])).toBeUndefined();
  });
});
