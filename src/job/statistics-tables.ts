// The tables of a statistics plan, one behind the other in the segment `cells`, and which cell a record is counted in.

import type { Contract } from './contract.js';
import type { StatisticsPlan } from './statistics-plan.js';

/** Row-major features of one record set, with what its reader counted. */
export interface CountedRows {
  readonly rows: number;
  readonly features: Float32Array | StoredValues;
  /** Times; negative where the event was not seen. Empty without a survival target. */
  readonly targets?: Float32Array | undefined;
  /** Records without a value, for each feature. */
  readonly missing?: readonly number[] | undefined;
  /** Records left out because a value was missing. */
  readonly droppedRows?: number | undefined;
}

/** Values that are not in memory. */
export interface StoredValues {
  /** Rows times columns. */
  readonly length: number;
  readonly valueAt: (row: number, column: number) => number;
}

/** The value of one record in one of `columns` columns. */
export function valueOf({ features }: CountedRows, columns: number, row: number, column: number): number {
  return features instanceof Float32Array ? (features[row * columns + column] ?? 0) : features.valueAt(row, column);
}

export interface StatisticsTable {
  readonly kind: 'histogram' | 'contingency' | 'missing' | 'survival';
  /** What it is of: one column, two, or none. */
  readonly columns: readonly string[];
  readonly cells: number;
  /** First cell in the segment. */
  readonly offset: number;
  /** True when each record is in exactly one cell, so that the cells add up to the number of records, which is opened as well. */
  readonly complete: boolean;
  /** The counts of one silo. */
  readonly count: (rows: CountedRows) => Float64Array;
}

/** In the order of the plan. */
export function tablesOf(plan: StatisticsPlan, contract: Contract): readonly StatisticsTable[] {
  const tables: StatisticsTable[] = [];
  const add = (table: Omit<StatisticsTable, 'offset'>): void => {
    const last = tables.at(-1);
    tables.push({ ...table, offset: last === undefined ? 0 : last.offset + last.cells });
  };
  const { features, target } = contract;
  /** Position of a feature, how many cells it has, and the cell of a value. The plan has been held against the contract. */
  const axis = (column: string, bins = 0) => {
    const at = features.findIndex((one) => one.column === column);
    const { minimum, maximum, categories } = features[at] ?? { minimum: 0, maximum: 1, categories: undefined };
    const cells = categories?.length ?? bins;
    const cell = (row: number, rows: CountedRows): number => {
      const value = valueOf(rows, features.length, row, at);
      if (categories !== undefined) return Math.min(cells - 1, Math.max(0, Math.round(value)));
      return binOf((value - minimum) / (maximum - minimum), cells);
    };
    return { cells, cell };
  };
  const each = (cells: number, cellOf: (row: number, rows: CountedRows) => number) => (rows: CountedRows) => {
    const counts = new Float64Array(cells);
    for (let row = 0; row < rows.rows; row++) {
      const cell = cellOf(row, rows);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    return counts;
  };
  for (const { column, bins } of plan.histograms) {
    const { cells, cell } = axis(column, bins);
    add({ kind: 'histogram', columns: [column], cells, complete: true, count: each(cells, cell) });
  }
  for (const { rows, columns } of plan.contingency) {
    const [down, across] = [axis(rows), axis(columns)];
    const cells = down.cells * across.cells;
    const cellOf = (row: number, all: CountedRows): number =>
      down.cell(row, all) * across.cells + across.cell(row, all);
    add({ kind: 'contingency', columns: [rows, columns], cells, complete: true, count: each(cells, cellOf) });
  }
  if (plan.missingness)
    add({
      kind: 'missing',
      columns: features.map(({ column }) => column),
      cells: features.length + 1,
      complete: false,
      count: ({ droppedRows, missing }) =>
        Float64Array.of(droppedRows ?? 0, ...features.map((_, i) => missing?.[i] ?? 0)),
    });
  if (plan.survival !== undefined && target?.kind === 'survival') {
    const { bins, by } = plan.survival;
    const group = by === '' ? { cells: 1, cell: () => 0 } : axis(by);
    const cells = group.cells * 2 * bins;
    const cellOf = (row: number, all: CountedRows): number => {
      const time = all.targets?.[row] ?? 0;
      const bin = binOf(Math.abs(time) / target.maximum, bins);
      return (group.cell(row, all) * 2 + (time > 0 ? 0 : 1)) * bins + bin;
    };
    add({ kind: 'survival', columns: by === '' ? [] : [by], cells, complete: true, count: each(cells, cellOf) });
  }
  return tables;
}

/** The upper end belongs to the last bin. */
function binOf(part: number, bins: number): number {
  return Math.min(bins - 1, Math.max(0, Math.floor(part * bins)));
}

/** Pairs of features whose products are summed, as positions in the contract. */
export function pairsOf(
  { correlations }: StatisticsPlan,
  { features }: Contract,
): readonly (readonly [number, number])[] {
  const at = correlations.map((column) => features.findIndex((one) => one.column === column));
  return at.flatMap((a, i) => at.slice(i + 1).map((b) => [a, b] as const));
}
