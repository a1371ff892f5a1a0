// What a silo puts into the vector of a statistics job, from its records and its own policy about small counts.

import type { SegmentValues } from '../vector/index.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import { SEGMENT } from './layout.js';
import { withoutSmallCells } from './small-cells.js';
import { MIDDLE } from './statistics-noise.js';
import { NO_TABLES, type StatisticsPlan } from './statistics-plan.js';
import { pairsOf, tablesOf, valueOf, type CountedRows } from './statistics-tables.js';
import { unsaturated } from './unsaturated.js';

/**
 * Records, per feature the sums of x' and x'^2, and what the plan adds. `smallestCell`: counts from 1 to one less are left out of
 * tables; 0 leaves out none. `noised`: sums are taken around the middle of each range. Throws JobError `job/bad-contribution`.
 */
export function statisticsSegments(
  rows: CountedRows,
  contract: Contract,
  plan: StatisticsPlan = NO_TABLES,
  smallestCell = 0,
  noised = false,
): SegmentValues[] {
  const columns = contract.features.length;
  if (rows.features.length !== rows.rows * columns)
    throw new JobError(
      'job/bad-contribution',
      `${String(rows.features.length)} values are not ${String(rows.rows)} rows of ${String(columns)} features.`,
    );
  if (plan.survival !== undefined && rows.targets?.length !== rows.rows)
    throw new JobError('job/bad-contribution', 'a survival curve needs the time of each record.');
  const scaledRow = scaledBy(contract);
  const sum = new Float64Array(columns);
  const sumOfSquares = new Float64Array(columns);
  const pairs = pairsOf(plan, contract);
  const products = new Float64Array(pairs.length);
  for (let row = 0; row < rows.rows; row++) {
    const x = scaledRow(rows, row);
    // All of the same length; each index is below it.
    x.forEach((scaled, i) => {
      const value = noised ? scaled - MIDDLE : scaled;
      sum[i] = (sum[i] as number) + value;
      sumOfSquares[i] = (sumOfSquares[i] as number) + value * value;
    });
    pairs.forEach(([a, b], i) => (products[i] = (products[i] as number) + (x[a] as number) * (x[b] as number)));
  }
  const tables = tablesOf(plan, contract).map((table) =>
    withoutSmallCells(table.count(rows), smallestCell, table.complete),
  );
  return [
    { name: SEGMENT.rows, values: Float64Array.of(rows.rows) },
    { name: SEGMENT.sum, values: sum },
    { name: SEGMENT.sumOfSquares, values: sumOfSquares },
    ...(tables.length === 0
      ? []
      : [
          { name: SEGMENT.cells, values: joined(tables.map(({ counts }) => counts)) },
          { name: SEGMENT.cellsLeftOut, values: joined(tables.map(({ left }) => left)) },
        ]),
    ...(pairs.length === 0 ? [] : [{ name: SEGMENT.products, values: products }]),
    unsaturated(),
  ];
}

/** One record scaled to [0, 1]; the array is used again. Rounding to float32 may have left a value a little outside: it is cut back. */
function scaledBy({ features }: Contract): (rows: CountedRows, row: number) => Float64Array {
  const x = new Float64Array(features.length);
  return (rows, row) => {
    features.forEach(({ minimum, maximum }, i) => {
      const value = valueOf(rows, features.length, row, i);
      x[i] = Math.min(1, Math.max(0, (value - minimum) / (maximum - minimum)));
    });
    return x;
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}
