// The vector of a model that trains has two parts: what a gradient moves, and behind it the running statistics of batch normalisation, which
// follow the batches. Update rules, control variates, noise and the bound on a silo's change know the first part only; the next
// statistics are always the weighted mean of the silos' own.

import { segmentNamed, type Layout } from '../vector/index.js';
import { JobError } from './errors.js';
import { SEGMENT } from './layout.js';

/** How many values of the vector a gradient moves: the length of `delta`. Throws JobError `job/bad-manifest` without that segment. */
export function weightCount(layout: Layout): number {
  const delta = segmentNamed(layout, SEGMENT.delta);
  if (delta === undefined) throw new JobError('job/bad-manifest', 'a training job sums the change of its parameters.');
  return delta.length;
}

/** Length of the second part; 0 for a model without running statistics. */
export function statisticCount(layout: Layout): number {
  return segmentNamed(layout, SEGMENT.runningStatistics)?.length ?? 0;
}

/** `next` of the first part and behind it `before + meanChange` of the second, rounded to float32 once. */
export function withStatistics(next: Float32Array, before: Float32Array, meanChange: Float64Array): Float32Array {
  if (meanChange.length === 0) return next;
  const whole = new Float32Array(before.length);
  whole.set(next);
  // Both parts together have the length of `before`, which the caller has compared.
  meanChange.forEach((change, i) => (whole[next.length + i] = (before[next.length + i] as number) + change));
  return whole;
}
