// From the opened sum of a statistics job to everything that it says, each figure with what could not be told apart: widths of bins, and
// cells that silos left out because they were small.

import type { Contract } from './contract.js';
import { SEGMENT } from './layout.js';
import { requiredValues, type OpenedSum } from './opened.js';
import { quantilesOf, type Quantile } from './quantiles.js';
import { readStatistics, type ColumnStatistics } from './statistics.js';
import type { StatisticsPlan } from './statistics-plan.js';
import { pairsOf, tablesOf, type StatisticsTable } from './statistics-tables.js';
import { kaplanMeier, type Curve } from './kaplan-meier.js';

export type { Curve, Quantile };

/** `leftOut`: how many silos left a cell out because its count there was small; the true count is at least `count` + `leftOut`. */
export interface Cell {
  readonly count: number;
  readonly leftOut: number;
}

export interface HistogramReport {
  readonly column: string;
  readonly unit: string;
  /** Edges of the bins, one more than there are cells; undefined for categories. */
  readonly edges: readonly number[] | undefined;
  readonly categories: readonly string[] | undefined;
  readonly cells: readonly Cell[];
  /** Records in no cell, because silos left theirs out. */
  readonly recordsLeftOut: number;
  /** Empty for categories. */
  readonly quantiles: readonly Quantile[];
}

export interface ContingencyReport {
  readonly rows: { readonly column: string; readonly categories: readonly string[] };
  readonly columns: { readonly column: string; readonly categories: readonly string[] };
  /** Row by row. */
  readonly cells: readonly (readonly Cell[])[];
  readonly recordsLeftOut: number;
}

export interface CorrelationReport {
  readonly columns: readonly string[];
  /** Pearson's r; undefined where a column does not vary. */
  readonly matrix: readonly (readonly (number | undefined)[])[];
}

export interface MissingReport {
  /** Records left out of everything else because a value was missing. */
  readonly droppedRecords: Cell;
  readonly columns: readonly (Cell & { readonly column: string })[];
}

export interface StatisticsReport {
  /** Records of all silos. */
  readonly records: number;
  readonly silos: number;
  /** Standard deviation of the noise on the number of records, at most; undefined for sums without noise. */
  readonly noise?: number | undefined;
  readonly features: readonly {
    readonly column: string;
    readonly unit: string;
    readonly mean: number;
    readonly standardDeviation: number;
  }[];
  readonly histograms: readonly HistogramReport[];
  readonly contingency: readonly ContingencyReport[];
  readonly correlations: CorrelationReport | undefined;
  readonly missing: MissingReport | undefined;
  readonly survival: readonly Curve[];
}

/** Throws JobError `job/bad-sum` as `readStatistics` does. */
export function readStatisticsReport(
  sum: OpenedSum,
  contract: Contract,
  plan: StatisticsPlan,
  silos: number,
): StatisticsReport {
  const basic = readStatistics(sum, contract, silos);
  const tables = tablesOf(plan, contract);
  const counts = tables.length === 0 ? new Float64Array() : requiredValues(sum, SEGMENT.cells);
  const left = tables.length === 0 ? new Float64Array() : requiredValues(sum, SEGMENT.cellsLeftOut);
  const cellsOf = ({ offset, cells }: StatisticsTable): Cell[] =>
    Array.from({ length: cells }, (_, i) => ({ count: counts[offset + i] ?? 0, leftOut: left[offset + i] ?? 0 }));
  const records = basic.rows;
  const of = (kind: StatisticsTable['kind']): readonly StatisticsTable[] => tables.filter((one) => one.kind === kind);
  return {
    records,
    silos,
    ...(basic.noise === undefined ? {} : { noise: basic.noise }),
    features: contract.features.map(({ column, unit }, i) => ({
      column,
      unit,
      mean: basic.mean[i] ?? 0,
      standardDeviation: basic.standardDeviation[i] ?? 0,
    })),
    histograms: of('histogram').map((table) => histogram(table, cellsOf(table), contract, records)),
    contingency: of('contingency').map((table) => contingency(table, cellsOf(table), contract, records)),
    correlations: plan.correlations.length === 0 ? undefined : correlations(sum, plan, contract, basic),
    missing: of('missing').map((table) => missing(table, cellsOf(table)))[0],
    survival: of('survival').flatMap((table) => curves(table, cellsOf(table), contract, plan)),
  };
}

function histogram(
  { columns }: StatisticsTable,
  cells: readonly Cell[],
  { features }: Contract,
  records: number,
): HistogramReport {
  const column = columns[0] ?? '';
  const feature = features.find((one) => one.column === column);
  const { minimum = 0, maximum = 1, unit = '', categories } = feature ?? {};
  const edges =
    categories === undefined
      ? Array.from({ length: cells.length + 1 }, (_, i) => minimum + ((maximum - minimum) * i) / cells.length)
      : undefined;
  const recordsLeftOut = leftOutOf(cells, records);
  const quantiles = edges === undefined ? [] : quantilesOf(cells, edges, recordsLeftOut);
  return { column, unit, edges, categories, cells, recordsLeftOut, quantiles };
}

function contingency(
  { columns }: StatisticsTable,
  cells: readonly Cell[],
  contract: Contract,
  records: number,
): ContingencyReport {
  const [rows, across] = columns.map((column) => ({ column, categories: categoriesOf(contract, column) }));
  const width = across?.categories.length ?? 1;
  return {
    rows: rows ?? { column: '', categories: [] },
    columns: across ?? { column: '', categories: [] },
    cells: Array.from({ length: cells.length / width }, (_, i) => cells.slice(i * width, (i + 1) * width)),
    recordsLeftOut: leftOutOf(cells, records),
  };
}

function categoriesOf({ features }: Contract, column: string): readonly string[] {
  return features.find((one) => one.column === column)?.categories ?? [];
}

/** Every record is in one cell of a complete table; those that are in none were left out. */
function leftOutOf(cells: readonly Cell[], records: number): number {
  return Math.max(0, records - cells.reduce((sum, { count }) => sum + count, 0));
}

/** r = (mean of x'y' - mean x' mean y') / (deviations), cut to [-1, 1], which rounding can pass a little. */
function correlations(
  sum: OpenedSum,
  plan: StatisticsPlan,
  contract: Contract,
  basic: ColumnStatistics,
): CorrelationReport {
  const products = requiredValues(sum, SEGMENT.products);
  const first = requiredValues(sum, SEGMENT.sum);
  const at = plan.correlations.map((column) => contract.features.findIndex((one) => one.column === column));
  const pairs = pairsOf(plan, contract);
  const deviation = (i: number): number => {
    const { minimum, maximum } = contract.features[i] ?? { minimum: 0, maximum: 1 };
    return (basic.standardDeviation[i] ?? 0) / (maximum - minimum);
  };
  const between = (a: number, b: number): number | undefined => {
    const spread = deviation(a) * deviation(b);
    if (spread === 0) return undefined;
    if (a === b) return 1;
    const pair = pairs.findIndex(([i, j]) => (i === a && j === b) || (i === b && j === a));
    const mean = (values: Float64Array, i: number): number => (values[i] ?? 0) / basic.rows;
    const r = (mean(products, pair) - mean(first, a) * mean(first, b)) / spread;
    return Math.min(1, Math.max(-1, r));
  };
  return { columns: plan.correlations, matrix: at.map((a) => at.map((b) => between(a, b))) };
}

function missing({ columns }: StatisticsTable, [dropped, ...cells]: readonly Cell[]): MissingReport {
  const none = { count: 0, leftOut: 0 };
  return {
    droppedRecords: dropped ?? none,
    columns: columns.map((column, i) => ({ column, ...(cells[i] ?? none) })),
  };
}

function curves(
  { columns }: StatisticsTable,
  cells: readonly Cell[],
  contract: Contract,
  { survival }: StatisticsPlan,
): Curve[] {
  const bins = survival?.bins ?? 1;
  const horizon = contract.target?.kind === 'survival' ? contract.target.maximum : 0;
  const [by] = columns;
  const groups = by === undefined ? [''] : categoriesOf(contract, by);
  return groups.map((group, i) => {
    const events = cells.slice(2 * i * bins, (2 * i + 1) * bins);
    const censored = cells.slice((2 * i + 1) * bins, (2 * i + 2) * bins);
    return kaplanMeier(group, events, censored, horizon);
  });
}
