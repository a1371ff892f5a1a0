// What a silo puts into the vector about its hold-out part: the sums over all of it, and over each category of each slice that is large
// enough to be told of.

import type { SegmentValues } from '../vector/index.js';
import { JobError } from './errors.js';
import { holdoutParts, type HoldoutPart, type HoldoutSums, type MetricTerms } from './holdout-parts.js';
import { leftOutName, sliceColumns, sliceName } from './slices.js';
import { withoutSmallCells } from './small-cells.js';
import { unsaturated } from './unsaturated.js';

export type { HoldoutSums, MetricTerms } from './holdout-parts.js';

/** Sums over a whole hold-out part, and over each category of each slice in the order of recipe and contract. */
export interface SlicedSums extends HoldoutSums {
  /** Undefined where nothing is held out, or the job has no slices. */
  readonly slices?: readonly (readonly HoldoutSums[])[];
}

/**
 * Values of an evaluation, or of the metrics in a training round. `smallestSlice`: categories with fewer records of this silo are left
 * out, and as many of the next larger ones that the others do not tell what is missing. Throws JobError `job/bad-contribution`.
 */
export function evaluationSegments(holdout: SlicedSums, terms: MetricTerms, smallestSlice = 0): SegmentValues[] {
  const parts = holdoutParts(terms);
  return [
    ...parts.map((part) => ({ name: `holdout.${part.name}`, values: valuesOf(part, holdout) })),
    ...sliceColumns(terms.recipe, terms.contract).flatMap(({ column, categories }, i) => {
      const sums = holdout.slices?.[i] ?? [];
      const { left } = withoutSmallCells(
        Float64Array.from(categories, (_, category) => sums[category]?.count ?? 0),
        smallestSlice,
        true,
      );
      return [
        ...parts.map((part) => ({
          name: sliceName(column, part.name),
          values: sliceValues(part, sums, left),
        })),
        { name: leftOutName(column), values: left },
      ];
    }),
    unsaturated(),
  ];
}

/** Nothing for a category that is left out or has no records. */
function sliceValues(part: HoldoutPart, sums: readonly HoldoutSums[], left: Float64Array): Float64Array {
  const values = new Float64Array(part.length * left.length);
  left.forEach((isLeft, category) => {
    const one = sums[category];
    if (isLeft === 0 && one !== undefined && one.count > 0) values.set(valuesOf(part, one), category * part.length);
  });
  return values;
}

function valuesOf({ name, length, values }: HoldoutPart, sums: HoldoutSums): Float64Array {
  const found = Float64Array.from(values(sums));
  if (found.length !== length)
    throw new JobError(
      'job/bad-contribution',
      `holdout.${name} has ${String(found.length)} values, not ${String(length)}.`,
    );
  if (found.some((value) => !Number.isFinite(value)))
    throw new JobError('job/bad-contribution', `holdout.${name} is not finite.`);
  return found;
}
