// What a silo puts into the vector: the raw values of each segment, in layout order, from what it computed on its own records.
// Rounding to integers is vector/'s, which also fills the segment `saturated`.

import { l2Norm, segmentNamed, type Layout, type SegmentValues } from '../vector/index.js';
import { JobError } from './errors.js';
import { evaluationSegments, type MetricTerms, type SlicedSums } from './holdout-contribution.js';
import { COARSE_WEIGHT_STEPS, SEGMENT } from './layout.js';
import { statisticCount } from './vector-parts.js';

export interface TrainingContribution {
  /** Local vector minus the round's, in the order of the model's parameters: running statistics last. Not changed. */
  readonly delta: Float32Array;
  /** Records trained on. */
  readonly rows: number;
  readonly holdout: SlicedSums;
  /** FedNova: reach of the local steps at rate 1, at least 1. */
  readonly reach?: number;
  /** SCAFFOLD: change of this silo's control variate, already cut to its bound (`clippedControl`). */
  readonly control?: Float64Array;
}

/**
 * Values of a training round: `delta` is weight * (change cut to L2 norm C), so that the sum over silos divided by the sum of their
 * weights is the weighted mean. A coarse weight multiplies the change as it is sent, rounded to 64ths, never as 0: the mean stays
 * exact. The change of running statistics has the weight and nothing else. Throws JobError `job/bad-contribution`.
 */
export function trainingSegments(
  { delta, rows, holdout, reach, control }: TrainingContribution,
  terms: MetricTerms & { readonly layout: Layout },
  smallestSlice = 0,
): SegmentValues[] {
  const deltaSegment = segmentNamed(terms.layout, SEGMENT.delta);
  const statistics = statisticCount(terms.layout);
  const weightSegment = segmentNamed(terms.layout, SEGMENT.weight);
  if (
    deltaSegment?.quantiser.kind !== 'real' ||
    weightSegment === undefined ||
    deltaSegment.length + statistics !== delta.length
  )
    throw new JobError('job/bad-contribution', 'the change of the parameters does not fit the layout of this job.');
  if (!(Number.isInteger(rows) && rows >= 1))
    throw new JobError('job/bad-contribution', 'a silo without records has no part in a round.');
  const weight = weightOf(rows, terms.recipe.weightRows, weightSegment.visibility === 'coarse');
  const moved = delta.subarray(0, deltaSegment.length);
  const { factor, norm } = clipping(moved, deltaSegment.quantiser.clip);
  const { method } = terms.recipe;
  const divisor = method.kind === 'fed-nova' ? demandReach(reach) : 1;
  return [
    { name: SEGMENT.delta, values: sent(moved, factor, weight, divisor) },
    ...(statistics > 0
      ? [
          {
            name: SEGMENT.runningStatistics,
            values: delta.subarray(deltaSegment.length).map((change) => change * weight),
          },
        ]
      : []),
    ...(method.kind === 'scaffold'
      ? [{ name: SEGMENT.control, values: demandControl(control, moved.length).map((change) => change * weight) }]
      : []),
    { name: SEGMENT.weight, values: Float64Array.of(weight) },
    { name: SEGMENT.norm, values: Float64Array.of(weight * norm * factor) },
    ...(method.kind === 'fed-nova' ? [{ name: SEGMENT.reach, values: Float64Array.of(weight * divisor) }] : []),
    ...evaluationSegments(holdout, terms, smallestSlice),
  ];
}

function sent(moved: Float32Array, factor: number, weight: number, divisor: number): Float32Array {
  const values = new Float32Array(moved.length);
  // Both have the same length.
  for (let i = 0; i < values.length; i++) values[i] = ((moved[i] as number) * factor * weight) / divisor;
  return values;
}

/** A change of a control variate as it is sent, and by which the silo's own must then move: cut to L2 norm `clip`. */
export function clippedControl(change: Float64Array, clip: number): Float64Array {
  const { factor } = clipping(change, clip);
  return change.map((value) => value * factor);
}

/** A silo's weight in (0, 1]: exact, or the nearest 64th from 1/64 on. */
export function weightOf(rows: number, weightRows: number, coarse: boolean): number {
  const exact = Math.min(1, rows / weightRows);
  return coarse ? Math.max(1, Math.round(exact * COARSE_WEIGHT_STEPS)) / COARSE_WEIGHT_STEPS : exact;
}

/** A little below the clip, so that rounding to float32 never leaves a vector that would have to be cut again: 2 units in the last place. */
const BELOW_CLIP = 1 - 2 ** -22;

function clipping(
  change: Float32Array | Float64Array,
  clip: number,
): { readonly factor: number; readonly norm: number } {
  const norm = l2Norm(change);
  if (!Number.isFinite(norm)) throw new JobError('job/bad-contribution', 'the change of the parameters is not finite.');
  return { norm, factor: norm > clip * BELOW_CLIP ? (clip * BELOW_CLIP) / norm : 1 };
}

/** At least 1, so that what is divided by it keeps the bound of `delta`. */
function demandReach(reach: number | undefined): number {
  if (reach === undefined || !(reach >= 1 && reach < Infinity))
    throw new JobError('job/bad-contribution', 'FedNova divides by the reach of the local steps, a number from 1.');
  return reach;
}

function demandControl(control: Float64Array | undefined, length: number): Float64Array {
  if (control?.length !== length)
    throw new JobError('job/bad-contribution', 'SCAFFOLD sends one control variate for each parameter.');
  return control;
}
