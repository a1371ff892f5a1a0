// What several sums tell together about single silos, where the inputs of each are about the same in all of them: the span of their
// survivor sets, in whole numbers, so that no rounding decides.

import type { SiloId } from '../../base/index.js';

/**
 * The silos about which some combination of the sums over these sets tells alone, sorted: those whose unit vector is in the span of the
 * sets' indicators.
 */
export function isolatedBy(sets: readonly (readonly SiloId[])[]): SiloId[] {
  const silos = [...new Set(sets.flat())].sort();
  const rows = reduced(sets.map((set) => silos.map((silo) => (set.includes(silo) ? 1n : 0n))));
  // A unit vector in the span of reduced rows is one of them: at every pivot but its own it is 0.
  const alone = new Set(
    rows
      .map((row) => row.flatMap((value, k) => (value === 0n ? [] : [k])))
      .flatMap((at) => (at.length === 1 ? at : [])),
  );
  return silos.filter((_, k) => alone.has(k));
}

/** Reduced echelon form up to a factor for each row; no row is zero. */
function reduced(matrix: readonly (readonly bigint[])[]): bigint[][] {
  const rows: { readonly pivot: number; values: bigint[] }[] = [];
  for (const given of matrix) {
    let values = [...given];
    for (const { pivot, values: other } of rows) values = without(values, other, pivot);
    const pivot = values.findIndex((value) => value !== 0n);
    if (pivot < 0) continue;
    for (const row of rows) row.values = without(row.values, values, pivot);
    rows.push({ pivot, values });
  }
  return rows.map(({ values }) => values);
}

/** `row` and a multiple of `other` combined so that the column is 0, divided by the common factor. */
function without(row: readonly bigint[], other: readonly bigint[], column: number): bigint[] {
  const [a, b] = [row[column] ?? 0n, other[column] ?? 0n];
  if (a === 0n) return [...row];
  const mixed = row.map((value, k) => value * b - (other[k] ?? 0n) * a);
  const factor = mixed.reduce(commonFactor, 0n);
  return factor > 1n ? mixed.map((value) => value / factor) : mixed;
}

function commonFactor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y > 0n) [x, y] = [y, x % y];
  return x;
}
