// From the opened sum of a training or evaluation round to the metrics of the model it started from, over all hold-out parts.

import {
  accuracy,
  aucFromHistograms,
  averagePrecision,
  calibration,
  confusionAtHalf,
  type Auc,
  type AveragePrecision,
  type Calibration,
  type Confusion,
} from '../model/index.js';
import { SEGMENT } from './layout.js';
import { checkLength, requiredValue, segmentValues, type OpenedSum } from './opened.js';

export interface ModelMetrics {
  /** Hold-out records of all silos. */
  readonly records: number;
  /** Mean loss of a record; undefined without records. */
  readonly loss: number | undefined;
  /** Part of the records predicted right; undefined for regression and without records. */
  readonly accuracy: number | undefined;
  /** Area under the ROC curve with its half-bin error bound; undefined unless targets are binary and both classes occur. */
  readonly auc: Auc | undefined;
  /** Also from the histograms, undefined as `auc` is; the confusion matrix is undefined with an odd number of bins too. */
  readonly averagePrecision: AveragePrecision | undefined;
  readonly calibration: Calibration | undefined;
  readonly confusion: Confusion | undefined;
  /** Values that quantisers had to cut, over all silos. */
  readonly saturated: number;
  /** Metrics that silos cannot have produced honestly, such as more correct records than records; they are left undefined. */
  readonly implausible: readonly string[];
}

/**
 * A silo can lie about its own counts, and metrics are advice: what is impossible is named and left out, so that it stops nobody.
 * Throws JobError `job/bad-sum` when the sum does not fit its layout.
 */
export function readMetrics(sum: OpenedSum): ModelMetrics {
  checkLength(sum);
  const implausible: string[] = [];
  const plausible = (name: string, good: boolean): boolean => {
    if (!good) implausible.push(name);
    return good;
  };
  const records = requiredValue(sum, SEGMENT.holdoutRows);
  const known = plausible(SEGMENT.holdoutRows, records >= 0) && records > 0;
  const lossSum = requiredValue(sum, SEGMENT.holdoutLoss);
  // Losses are not negative; rounding may take a sum of zeros a little below.
  const loss = known && plausible(SEGMENT.holdoutLoss, lossSum > -1) ? Math.max(0, lossSum) / records : undefined;
  const correct = segmentValues(sum, SEGMENT.holdoutCorrect)?.[0];
  const counted =
    known && correct !== undefined && plausible(SEGMENT.holdoutCorrect, correct >= 0 && correct <= records);
  return {
    records: Math.max(0, records),
    loss,
    accuracy: counted ? accuracy(correct, records) : undefined,
    ...(known ? readScores(sum, records, plausible) : NO_SCORES),
    saturated: requiredValue(sum, SEGMENT.saturated),
    implausible,
  };
}

type ScoreMetrics = Pick<ModelMetrics, 'auc' | 'averagePrecision' | 'calibration' | 'confusion'>;

const NO_SCORES: ScoreMetrics = {
  auc: undefined,
  averagePrecision: undefined,
  calibration: undefined,
  confusion: undefined,
};

/** What two score histograms tell. */
function readScores(
  sum: OpenedSum,
  records: number,
  plausible: (name: string, good: boolean) => boolean,
): ScoreMetrics {
  const positives = segmentValues(sum, SEGMENT.holdoutPositive);
  const negatives = segmentValues(sum, SEGMENT.holdoutNegative);
  if (positives === undefined || negatives === undefined) return NO_SCORES;
  const counts = (values: Float64Array): boolean => values.every((value) => value >= 0);
  const total = [...positives, ...negatives].reduce((a, b) => a + b, 0);
  const good =
    plausible(SEGMENT.holdoutPositive, counts(positives)) &&
    plausible(SEGMENT.holdoutNegative, counts(negatives)) &&
    plausible('holdout histograms', total === records);
  if (!good) return NO_SCORES;
  return {
    auc: aucFromHistograms(positives, negatives),
    averagePrecision: averagePrecision(positives, negatives),
    calibration: calibration(positives, negatives),
    confusion: confusionAtHalf(positives, negatives),
  };
}
