// Scores as histograms: counts of positives and negatives per bin are all that leaves a silo, and they can be summed under masks.

import { ModelError } from '../errors.js';

/** The bin of a score in [0, 1]: equal widths, the last bin closed. Throws `model/bad-scores`. */
export function scoreBin(score: number, bins: number): number {
  if (!(score >= 0 && score <= 1)) throw new ModelError('model/bad-scores', 'a score is not from 0 to 1');
  return Math.min(bins - 1, Math.floor(score * bins));
}

export interface Auc {
  /** Area under the ROC curve, ties within a bin counted half. */
  readonly auc: number;
  /** The exact area of the unbinned scores lies within auc +- this: half the share of positive-negative pairs that fall in one bin. */
  readonly errorBound: number;
}

/**
 * The area under the ROC curve from summed histograms of equal length, lowest scores first: the share of pairs (positive, negative)
 * in which the positive scores higher. Undefined when a class is absent. Throws `model/bad-scores` on negative counts.
 */
export function aucFromHistograms(positives: ArrayLike<number>, negatives: ArrayLike<number>): Auc | undefined {
  if (positives.length !== negatives.length)
    throw new ModelError('model/bad-scores', 'the two histograms differ in length');
  let negativesBelow = 0;
  let positiveTotal = 0;
  let pairsWon = 0;
  let pairsTied = 0;
  for (let bin = 0; bin < positives.length; bin++) {
    const p = count(positives, bin);
    const n = count(negatives, bin);
    pairsWon += p * negativesBelow;
    pairsTied += p * n;
    negativesBelow += n;
    positiveTotal += p;
  }
  const pairs = positiveTotal * negativesBelow;
  if (pairs === 0) return undefined;
  return { auc: (pairsWon + pairsTied / 2) / pairs, errorBound: pairsTied / 2 / pairs };
}

function count(histogram: ArrayLike<number>, bin: number): number {
  const value = histogram[bin] ?? Number.NaN;
  if (!(value >= 0 && value < Infinity))
    throw new ModelError('model/bad-scores', 'a histogram holds a count below zero');
  return value;
}
