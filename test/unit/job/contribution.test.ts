// What a silo puts into a training round, and what comes out of the sum.

import { describe, expect, it } from 'vitest';
import {
  deriveLayout,
  evaluationSegments,
  readMetrics,
  trainingSegments,
  weightOf,
  type HoldoutSums,
  type MetricTerms,
} from '../../../src/job/index.js';
import { dequantise, l2Norm, quantise, segmentNamed } from '../../../src/vector/index.js';
import { contract, recipe, room, trainingTerms } from '../../support/jobs.js';
import { roundingWords, sumOf } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';

const layout = vectorLayout(deriveLayout(trainingTerms, room));
const terms = { recipe, contract, layout };

const histogram = (...counts: [bin: number, count: number][]): number[] => {
  const bins = new Array<number>(10).fill(0);
  for (const [bin, count] of counts) bins[bin] = count;
  return bins;
};

const holdout: HoldoutSums = {
  count: 10,
  lossSum: 4.5,
  correct: 8,
  positives: histogram([2, 1], [8, 3]),
  negatives: histogram([1, 4], [2, 2]),
};

const silo = (rows: number, change: number) =>
  trainingSegments({ delta: new Float32Array(7).fill(change), rows, holdout }, terms);

describe('a contribution to training', () => {
  it('has every segment of the layout in its order and length', () => {
    expect(silo(100, 0.1).map(({ name, values }) => [name, values.length])).toEqual(
      layout.segments.map(({ name, length }) => [name, length]),
    );
  });

  it('gives the weighted mean of the changes when sums are divided', () => {
    const sum = sumOf(layout, [silo(100, 0.1), silo(50, 0.4), silo(500, -0.2)]);
    const delta = dequantise(segmentNamed(layout, 'delta')!, sum);
    const [weight] = dequantise(segmentNamed(layout, 'weight')!, sum);
    // 100 and 50 of 200 are exact 64ths; 500 counts as 200.
    expect(weight).toBe(0.5 + 0.25 + 1);
    expect(delta[3]! / weight!).toBeCloseTo((0.5 * 0.1 + 0.25 * 0.4 - 0.2) / 1.75, 7);
  });

  it('cuts the change to the clip before it is weighted, so that quantising cuts nothing more', () => {
    const [delta] = silo(1_000, 50);
    expect(l2Norm(delta!.values)).toBeLessThanOrEqual(2);
    expect(l2Norm(delta!.values)).toBeCloseTo(2, 5);
    const [half] = silo(100, 50);
    expect(l2Norm(half!.values)).toBeCloseTo(1, 5);
    expect(quantise(layout, silo(1_000, 50), roundingWords(1)).saturated).toBe(0);
  });

  it('rounds a coarse weight to 64ths and never to 0', () => {
    expect(weightOf(77, 200, true)).toBe(25 / 64);
    expect(weightOf(77, 200, false)).toBe(0.385);
    expect(weightOf(1, 100_000, true)).toBe(1 / 64);
    expect(weightOf(1_000, 200, false)).toBe(1);
  });

  it('does not change the vector it was given', () => {
    const delta = new Float32Array(7).fill(50);
    trainingSegments({ delta, rows: 10, holdout }, terms);
    expect(delta[0]).toBe(50);
  });

  it.each<[string, () => unknown]>([
    [
      'of another length than the model',
      () => trainingSegments({ delta: new Float32Array(6), rows: 1, holdout }, terms),
    ],
    ['that is not finite', () => silo(10, NaN)],
    ['of no rows', () => silo(0, 1)],
    ['with a loss that is not finite', () => evaluationSegments({ ...holdout, lossSum: NaN }, terms)],
    ['with histograms of other bins', () => evaluationSegments({ ...holdout, positives: [1] }, terms)],
  ])('refuses a contribution %s', (_what, action) => {
    expect(action).toThrow(expect.objectContaining({ code: 'job/bad-contribution' }));
  });
});

describe('metrics of a sum', () => {
  const values = sumOf(layout, [silo(100, 0.1), silo(50, 0.4)]);

  it('are those of all hold-out parts together', () => {
    const metrics = readMetrics({ layout, values });
    expect(metrics.records).toBe(20);
    expect(metrics.loss).toBeCloseTo(0.45, 4);
    expect(metrics.accuracy).toBe(0.8);
    expect(metrics.saturated).toBe(0);
    expect(metrics.implausible).toEqual([]);
    // Per silo 4 positives against 6 negatives: 3 * 6 + 1 * 4 pairs won, 1 * 2 tied.
    expect(metrics.auc?.auc).toBeCloseTo((22 + 1) / 24, 12);
    expect(metrics.auc?.errorBound).toBeCloseTo(1 / 24, 12);
  });

  it('cut the loss of a silo whose model is certain and wrong', () => {
    const [, loss] = evaluationSegments({ ...holdout, lossSum: 1e9 }, terms);
    expect(loss!.values[0]).toBe(200);
  });

  it('have no rates without records', () => {
    const none: HoldoutSums = { count: 0, lossSum: 0, correct: 0, positives: histogram(), negatives: histogram() };
    const parts = trainingSegments({ delta: new Float32Array(7), rows: 5, holdout: none }, terms);
    const metrics = readMetrics({ layout, values: sumOf(layout, [parts]) });
    expect(metrics).toMatchObject({
      records: 0,
      loss: undefined,
      accuracy: undefined,
      auc: undefined,
      implausible: [],
    });
  });

  it('of regression have a loss and errors, and no rates', () => {
    const real: MetricTerms = {
      recipe: { ...recipe, loss: { kind: 'squared-error' } },
      contract: { ...contract, target: { kind: 'real', column: 'y', minimum: 0, maximum: 10 } },
    };
    const regression = vectorLayout(deriveLayout({ kind: 'evaluate', ...real }, room));
    const errors = { absolute: 15, squared: 30, target: 50, targetSquares: 300 };
    const sum = sumOf(regression, [evaluationSegments({ ...holdout, lossSum: 30, errors }, real)]);
    const metrics = readMetrics({ layout: regression, values: sum });
    expect(metrics.loss).toBeCloseTo(3, 3);
    expect(metrics).toMatchObject({ records: 10, accuracy: undefined, auc: undefined });
    expect(metrics.regression?.meanAbsoluteError).toBeCloseTo(1.5, 3);
    // 300 - 50^2 / 10 = 50 around the mean.
    expect(metrics.regression?.r2).toBeCloseTo(1 - 30 / 50, 3);
    expect(() => evaluationSegments(holdout, real)).toThrow(/another kind of target/);
  });

  it.each<[string, string, number, string]>([
    ['more correct records than records', 'holdout.correct', 21, 'holdout.correct'],
    ['a negative number of records', 'holdout.rows', -1, 'holdout.rows'],
    ['a negative loss', 'holdout.loss', -2_000_000_000, 'holdout.loss'],
    ['a negative bin', 'holdout.positive', -1, 'holdout.positive'],
    ['histograms of other records', 'holdout.negative', 3, 'holdout histograms'],
  ])('name %s as implausible and leave it out', (_what, segment, value, named) => {
    const lie = Int32Array.from(values);
    lie[segmentNamed(layout, segment)!.offset] = value;
    expect(readMetrics({ layout, values: lie }).implausible).toContain(named);
  });

  it('refuse a sum of another length', () => {
    expect(() => readMetrics({ layout, values: values.subarray(1) })).toThrow(
      expect.objectContaining({ code: 'job/bad-sum' }),
    );
  });
});
