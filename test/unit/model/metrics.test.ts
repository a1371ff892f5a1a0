import { describe, expect, it } from 'vitest';
import { accuracy, aucFromHistograms, scoreBin } from '../../../src/model/index.js';

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
