// Slices: the same metrics for the records of each category of a column by themselves, so that a model that serves some people worse than
// others is seen to do so. What a silo holds of a small category it leaves out by its own policy.

import type { Contract } from './contract.js';
import type { Problem } from './errors.js';
import { JOB_LIMITS } from './limits.js';
import { Problems } from './problems.js';
import type { Recipe } from './recipe-terms.js';

export interface SliceColumn {
  readonly column: string;
  /** Position of the column among the features. */
  readonly at: number;
  readonly categories: readonly string[];
}

/** In the order of the recipe. Columns that `sliceProblems` has refused are not among them. */
export function sliceColumns({ slices }: Pick<Recipe, 'slices'>, { features }: Contract): readonly SliceColumn[] {
  return slices.flatMap((column) => {
    const at = features.findIndex((feature) => feature.column === column);
    const categories = features[at]?.categories;
    return categories === undefined ? [] : [{ column, at, categories }];
  });
}

export function sliceProblems(slices: readonly string[], contract: Contract): readonly Problem[] {
  const problems = new Problems();
  const found = sliceColumns({ slices }, contract);
  const known = new Set(found.map(({ column }) => column));
  slices.forEach((column, i) => {
    problems.require(known.has(column), `slices[${String(i)}]`, 'a column among the features that has categories');
  });
  const groups = found.reduce((sum, { categories }) => sum + categories.length, 0);
  const { sliceGroupsMax } = JOB_LIMITS;
  problems.require(
    groups <= sliceGroupsMax,
    'slices',
    `columns with at most ${String(sliceGroupsMax)} categories in all`,
  );
  return problems.list;
}

/** Segment of one part of the sums, for all categories of a column one behind the other. */
export function sliceName(column: string, part: string): string {
  return `slice.${column}.${part}`;
}

/** Segment that counts, for each category, the silos that left it out. */
export function leftOutName(column: string): string {
  return sliceName(column, 'left-out');
}
