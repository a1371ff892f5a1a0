// Whether probabilities mean what they say, from summed score histograms. Within a bin scores are taken as its middle, off by at most half
// a width.

import { ModelError } from '../errors.js';

export interface Calibration {
  /** Brier score: mean squared distance between score and outcome (Brier 1950). */
  readonly brier: number;
  readonly brierErrorBound: number;
  /** Expected calibration error: mean distance between a bin's score and its share of positives (Naeini et al. 2015). */
  readonly expectedError: number;
  /** Half a bin. */
  readonly expectedErrorBound: number;
}

export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** Histograms of equal length over [0, 1], lowest scores first. Undefined without records. Throws `model/bad-scores`. */
export function calibration(positives: ArrayLike<number>, negatives: ArrayLike<number>): Calibration | undefined {
  assertHistograms(positives, negatives);
  const bins = positives.length;
  const half = 0.5 / bins;
  let [records, squares, slack, gap] = [0, 0, 0, 0];
  for (let bin = 0; bin < bins; bin++) {
    const [p, n] = [positives[bin] ?? 0, negatives[bin] ?? 0];
    const score = (bin + 0.5) / bins;
    records += p + n;
    squares += p * (1 - score) ** 2 + n * score ** 2;
    // |(s - t)^2 - (c - t)^2| <= |s - c| (2 |c - t| + |s - c|).
    slack += half * (p * (2 * (1 - score) + half) + n * (2 * score + half));
    gap += Math.abs(p - (p + n) * score);
  }
  if (records === 0) return undefined;
  return {
    brier: squares / records,
    brierErrorBound: slack / records,
    expectedError: gap / records,
    expectedErrorBound: half,
  };
}

/** Decisions at a score of one half. Undefined where that lies inside a bin, with an odd number of them. Throws `model/bad-scores`. */
export function confusionAtHalf(positives: ArrayLike<number>, negatives: ArrayLike<number>): Confusion | undefined {
  assertHistograms(positives, negatives);
  const middle = positives.length / 2;
  if (!Number.isInteger(middle)) return undefined;
  const sum = (counts: ArrayLike<number>, from: number, to: number): number => {
    let total = 0;
    for (let bin = from; bin < to; bin++) total += counts[bin] ?? 0;
    return total;
  };
  return {
    truePositives: sum(positives, middle, positives.length),
    falsePositives: sum(negatives, middle, positives.length),
    trueNegatives: sum(negatives, 0, middle),
    falseNegatives: sum(positives, 0, middle),
  };
}

function assertHistograms(positives: ArrayLike<number>, negatives: ArrayLike<number>): void {
  if (positives.length !== negatives.length || positives.length === 0)
    throw new ModelError('model/bad-scores', 'the two histograms differ in length, or have no bins');
  for (const counts of [positives, negatives])
    for (let bin = 0; bin < counts.length; bin++)
      if (!((counts[bin] ?? -1) >= 0 && (counts[bin] ?? 0) < Infinity))
        throw new ModelError('model/bad-scores', 'a histogram holds a count below zero');
}
