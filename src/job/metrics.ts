// From the opened sum of a training or evaluation round to the metrics of the model it started from, over all hold-out parts and over
// each category of its slices.

import {
  accuracy,
  aucFromHistograms,
  averagePrecision,
  calibration,
  concordance,
  confusionAtHalf,
  regressionMetrics,
  type Auc,
  type AveragePrecision,
  type Calibration,
  type Concordance,
  type Confusion,
  type RegressionMetrics,
} from '../model/index.js';
import { segmentNamed } from '../vector/index.js';
import { SEGMENT } from './layout.js';
import { checkLength, requiredValue, segmentValues, type OpenedSum } from './opened.js';
import { leftOutName, sliceName, type SliceColumn } from './slices.js';

export interface PartMetrics {
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
  /** Undefined unless targets are real numbers. */
  readonly regression: RegressionMetrics | undefined;
  /** Undefined unless targets are survival times, and without two records that can be compared for certain. */
  readonly concordance: Concordance | undefined;
}

export interface SliceMetrics extends PartMetrics {
  readonly column: string;
  readonly category: string;
  /** Silos that left this category out because they have few records of it; theirs are in none of the numbers. */
  readonly leftOutBy: number;
}

export interface ModelMetrics extends PartMetrics {
  readonly slices: readonly SliceMetrics[];
  /** Values that quantisers had to cut, over all silos. */
  readonly saturated: number;
  /** Metrics that silos cannot have produced honestly, such as more correct records than records; they are left undefined. */
  readonly implausible: readonly string[];
}

/**
 * A silo can lie about its own counts, and metrics are advice: what is impossible is named and left out, so that it stops nobody.
 * Throws JobError `job/bad-sum` when the sum does not fit its layout.
 */
export function readMetrics(sum: OpenedSum, slices: readonly SliceColumn[] = []): ModelMetrics {
  checkLength(sum);
  const implausible: string[] = [];
  const whole = readPart(sum, (part) => `holdout.${part}`, 0, 1, implausible);
  return {
    ...whole,
    slices: slices.flatMap(({ column, categories }) => {
      const leftOut = segmentValues(sum, leftOutName(column));
      return categories.map((category, at) => ({
        ...readPart(sum, (part) => sliceName(column, part), at, categories.length, implausible),
        column,
        category,
        leftOutBy: leftOut?.[at] ?? 0,
      }));
    }),
    saturated: requiredValue(sum, SEGMENT.saturated),
    implausible: [...new Set(implausible)],
  };
}

/** The metrics of one of `groups` that stand one behind the other in each segment. */
function readPart(
  sum: OpenedSum,
  nameOf: (part: string) => string,
  group: number,
  groups: number,
  implausible: string[],
): PartMetrics {
  const plausible = (name: string, good: boolean): boolean => {
    if (!good) implausible.push(name);
    return good;
  };
  const values = (part: string): Float64Array | undefined => {
    const all = segmentValues(sum, nameOf(part));
    if (all === undefined) return undefined;
    const length = all.length / groups;
    return all.subarray(group * length, (group + 1) * length);
  };
  /** Counts that are not negative and add up to the records of the part. */
  const countsOf = (parts: readonly [string, string], records: number, what: string) => {
    const [first, second] = [values(parts[0]), values(parts[1])];
    if (first === undefined || second === undefined) return undefined;
    const notNegative = (counts: Float64Array): boolean => counts.every((value) => value >= 0);
    const total = [first, second].reduce((all, counts) => all + counts.reduce((a, b) => a + b, 0), 0);
    const good =
      plausible(nameOf(parts[0]), notNegative(first)) &&
      plausible(nameOf(parts[1]), notNegative(second)) &&
      plausible(nameOf(what).replace('.', ' '), total === records);
    return good ? ([first, second] as const) : undefined;
  };
  const records = values('rows')?.[0] ?? requiredValue(sum, nameOf('rows'));
  if (!plausible(nameOf('rows'), records >= 0) || records === 0) return { ...NOTHING, records: 0 };
  const lossSum = values('loss')?.[0] ?? requiredValue(sum, nameOf('loss'));
  // Losses are not negative; rounding may take a sum of zeros a little below.
  const loss = plausible(nameOf('loss'), lossSum > -1) ? Math.max(0, lossSum) / records : undefined;
  const correct = values('correct')?.[0];
  const counted = correct !== undefined && plausible(nameOf('correct'), correct >= 0 && correct <= records);
  const scores = countsOf(['positive', 'negative'], records, 'histograms');
  const times = countsOf(['events', 'censored'], records, 'times');
  return {
    records,
    loss,
    accuracy: counted ? accuracy(correct, records) : undefined,
    auc: scores && aucFromHistograms(...scores),
    averagePrecision: scores && averagePrecision(...scores),
    calibration: scores && calibration(...scores),
    confusion: scores && confusionAtHalf(...scores),
    regression: regressionOf(sum, nameOf, values, records),
    concordance: times && concordance(...times, Math.sqrt(times[0].length)),
  };
}

const NOTHING: PartMetrics = {
  records: 0,
  loss: undefined,
  accuracy: undefined,
  auc: undefined,
  averagePrecision: undefined,
  calibration: undefined,
  confusion: undefined,
  regression: undefined,
  concordance: undefined,
};

/** An explained share is told only where the targets differ by a hundred times what rounding to units can add. */
const SPREAD_OVER_ROUNDING = 100;

function regressionOf(
  { layout }: OpenedSum,
  nameOf: (part: string) => string,
  values: (part: string) => Float64Array | undefined,
  records: number,
): RegressionMetrics | undefined {
  const one = (part: string): number | undefined => values(part)?.[0];
  const [absoluteErrors, squaredErrors] = [one('absolute-error'), one('squared-error')];
  const [targets, targetSquares] = [one('target'), one('target-squares')];
  if (absoluteErrors === undefined || squaredErrors === undefined || targets === undefined) return undefined;
  if (targetSquares === undefined) return undefined;
  const unit = (part: string): number => {
    const quantiser = segmentNamed(layout, nameOf(part))?.quantiser;
    return quantiser?.kind === 'real' ? 1 / quantiser.scale : 0;
  };
  // Of one silo; a sum over a hundred silos still stands far above it.
  const rounding = unit('target-squares') + (2 * Math.abs(targets) * unit('target')) / records;
  return regressionMetrics(
    { records, absoluteErrors, squaredErrors, targets, targetSquares },
    SPREAD_OVER_ROUNDING * rounding,
  );
}
