// What a silo puts into the vector: the raw values of each segment, in layout order, from what it computed on its own records.
// Rounding to integers is vector/'s, which also fills the segment `saturated`.

import { l2Norm, segmentNamed, type Layout, type SegmentValues } from '../vector/index.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import { COARSE_WEIGHT_STEPS, lossBound, SEGMENT } from './layout.js';
import type { Recipe } from './recipe.js';

/** Sums over a silo's hold-out part, as its trainer gives them. */
export interface HoldoutSums {
  /** Records. */
  readonly count: number;
  /** Sum of their losses. */
  readonly lossSum: number;
  /** Records predicted right; ignored for squared error. */
  readonly correct: number;
  /** Score histograms of records with target 1 and 0, `histogram_bins` long; read for binary targets only. */
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
}

export interface TrainingContribution {
  /** Local parameters minus the round's, in the order of the model's parameters. Not changed. */
  readonly delta: Float32Array;
  /** Records trained on. */
  readonly rows: number;
  readonly holdout: HoldoutSums;
}

export interface MetricTerms {
  readonly recipe: Recipe;
  readonly contract: Contract;
}

/**
 * Values of a training round: `delta` is weight * (change cut to L2 norm C), so that the sum over silos divided by the sum of their
 * weights is the weighted mean. A coarse weight multiplies the change as it is sent, rounded to 64ths, never as 0: the mean stays
 * exact. Throws JobError `job/bad-contribution`.
 */
export function trainingSegments(
  { delta, rows, holdout }: TrainingContribution,
  terms: MetricTerms & { readonly layout: Layout },
): SegmentValues[] {
  const deltaSegment = segmentNamed(terms.layout, SEGMENT.delta);
  const weightSegment = segmentNamed(terms.layout, SEGMENT.weight);
  if (deltaSegment?.quantiser.kind !== 'real' || weightSegment === undefined || deltaSegment.length !== delta.length)
    throw new JobError('job/bad-contribution', 'the change of the parameters does not fit the layout of this job.');
  if (!(Number.isInteger(rows) && rows >= 1))
    throw new JobError('job/bad-contribution', 'a silo without records has no part in a round.');
  const weight = weightOf(rows, terms.recipe.weightRows, weightSegment.visibility === 'coarse');
  return [
    { name: SEGMENT.delta, values: weighted(delta, weight, deltaSegment.quantiser.clip) },
    { name: SEGMENT.weight, values: Float64Array.of(weight) },
    ...evaluationSegments(holdout, terms),
  ];
}

/** Values of an evaluation, or of the metrics in a training round. Throws JobError `job/bad-contribution`. */
export function evaluationSegments(holdout: HoldoutSums, { recipe, contract }: MetricTerms): SegmentValues[] {
  const { count, lossSum } = holdout;
  if (!Number.isFinite(lossSum))
    throw new JobError('job/bad-contribution', 'the loss on the hold-out part is not finite.');
  const segments: SegmentValues[] = [
    { name: SEGMENT.holdoutRows, values: Float64Array.of(count) },
    { name: SEGMENT.holdoutLoss, values: Float64Array.of(Math.min(lossSum, count * lossBound(recipe.loss, contract))) },
  ];
  if (recipe.loss !== 'squared-error')
    segments.push({ name: SEGMENT.holdoutCorrect, values: Float64Array.of(holdout.correct) });
  if (recipe.loss === 'binary-cross-entropy')
    segments.push(
      { name: SEGMENT.holdoutPositive, values: histogram(holdout.positives, recipe.histogramBins) },
      { name: SEGMENT.holdoutNegative, values: histogram(holdout.negatives, recipe.histogramBins) },
    );
  return [...segments, saturated()];
}

/** Rows as dataset/ gives them. */
export interface FeatureRows {
  readonly rows: number;
  /** Row-major, rows * features. */
  readonly features: Float32Array;
}

/** Values of a statistics job: records, and per feature the sums of x' and x'^2. Throws JobError `job/bad-contribution`. */
export function statisticsSegments({ rows, features }: FeatureRows, contract: Contract): SegmentValues[] {
  const columns = contract.features.length;
  if (features.length !== rows * columns)
    throw new JobError(
      'job/bad-contribution',
      `${String(features.length)} values are not ${String(rows)} rows of ${String(columns)} features.`,
    );
  const sum = new Float64Array(columns);
  const sumOfSquares = new Float64Array(columns);
  contract.features.forEach(({ minimum, maximum }, column) => {
    let first = 0;
    let second = 0;
    for (let at = column; at < features.length; at += columns) {
      // `at` is below the length. Rounding to float32 may have left a value at the edge a little outside its range: it is cut back.
      const x = Math.min(1, Math.max(0, ((features[at] as number) - minimum) / (maximum - minimum)));
      first += x;
      second += x * x;
    }
    sum[column] = first;
    sumOfSquares[column] = second;
  });
  return [
    { name: SEGMENT.rows, values: Float64Array.of(rows) },
    { name: SEGMENT.sum, values: sum },
    { name: SEGMENT.sumOfSquares, values: sumOfSquares },
    saturated(),
  ];
}

/** A silo's weight in (0, 1]: exact, or the nearest 64th from 1/64 on. */
export function weightOf(rows: number, weightRows: number, coarse: boolean): number {
  const exact = Math.min(1, rows / weightRows);
  return coarse ? Math.max(1, Math.round(exact * COARSE_WEIGHT_STEPS)) / COARSE_WEIGHT_STEPS : exact;
}

/** A little below the clip, so that rounding to float32 never leaves a vector that would have to be cut again: 2 units in the last place. */
const BELOW_CLIP = 1 - 2 ** -22;

function weighted(delta: Float32Array, weight: number, clip: number): Float32Array {
  const norm = l2Norm(delta);
  if (!Number.isFinite(norm)) throw new JobError('job/bad-contribution', 'the change of the parameters is not finite.');
  const factor = norm > clip * BELOW_CLIP ? weight * ((clip * BELOW_CLIP) / norm) : weight;
  return delta.map((change) => change * factor);
}

function histogram(counts: ArrayLike<number>, bins: number): Float64Array {
  if (counts.length !== bins)
    throw new JobError(
      'job/bad-contribution',
      `a score histogram has ${String(counts.length)} bins, not ${String(bins)}.`,
    );
  return Float64Array.from(counts);
}

/** Filled where the other segments are quantised. */
function saturated(): SegmentValues {
  return { name: SEGMENT.saturated, values: new Float64Array(1) };
}
