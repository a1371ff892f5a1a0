// Average precision from summed score histograms: the mean, over positives, of the share of positives among all records that score at least
// as high. How records lie within one bin is unknown, so the worst and the best order bound it.

import { ModelError } from '../errors.js';

export interface AveragePrecision {
  /** Middle of the two bounds. */
  readonly value: number;
  /** The exact figure of the unbinned scores lies within value +- this. */
  readonly errorBound: number;
}

/** Histograms of equal length, lowest scores first. Undefined without positives. Throws `model/bad-scores`. */
export function averagePrecision(
  positives: ArrayLike<number>,
  negatives: ArrayLike<number>,
): AveragePrecision | undefined {
  if (positives.length !== negatives.length)
    throw new ModelError('model/bad-scores', 'the two histograms differ in length');
  let [truths, falses, worst, best] = [0, 0, 0, 0];
  for (let bin = positives.length - 1; bin >= 0; bin--) {
    const p = positives[bin] ?? Number.NaN;
    const n = negatives[bin] ?? Number.NaN;
    if (!(p >= 0 && p < Infinity && n >= 0 && n < Infinity))
      throw new ModelError('model/bad-scores', 'a histogram holds a count below zero');
    best += precisionSum(truths, falses, p);
    worst += precisionSum(truths, falses + n, p);
    truths += p;
    falses += n;
  }
  if (truths === 0) return undefined;
  return { value: (best + worst) / 2 / truths, errorBound: (best - worst) / 2 / truths };
}

/** Sum of (a + j) / (a + j + f) for j from 1 to p: p less f times a piece of the harmonic series. */
function precisionSum(a: number, f: number, p: number): number {
  return p - f * (harmonic(a + f + p) - harmonic(a + f));
}

const EULER = 0.577_215_664_901_532_9;
/** Above this the asymptotic series is exact to float64. */
const TERMS = 100;

/** 1 + 1/2 + ... + 1/n. */
function harmonic(n: number): number {
  if (n > TERMS) return Math.log(n) + EULER + 1 / (2 * n) - 1 / (12 * n * n) + 1 / (120 * n ** 4);
  let sum = 0;
  for (let k = n; k >= 1; k--) sum += 1 / k;
  return sum;
}
