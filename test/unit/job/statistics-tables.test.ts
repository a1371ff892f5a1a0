// Tables of a statistics job from records through quantised sums and back: against direct counting, with and without small cells.

import { describe, expect, it } from 'vitest';
import {
  deriveLayout,
  encodeContract,
  NO_TABLES,
  parseJob,
  readStatisticsReport,
  statisticsSegments,
  withoutSmallCells,
  type Contract,
  type CountedRows,
  type StatisticsPlan,
  type StatisticsReport,
} from '../../../src/job/index.js';

import { encode, StatisticsPlan as PlanMessage } from '../../../src/wire/index.js';
import { room, statisticsManifest } from '../../support/jobs.js';
import { sumOf } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';

const contract: Contract = {
  dataSet: 'heart',
  features: [
    { column: 'age', minimum: 0, maximum: 100, unit: 'years' },
    { column: 'chol', minimum: 0, maximum: 400, unit: '' },
    { column: 'sex', minimum: 0, maximum: 1, unit: '', categories: ['f', 'm'] },
    { column: 'stage', minimum: 0, maximum: 2, unit: '', categories: ['i', 'ii', 'iii'] },
  ],
  target: { kind: 'survival', column: 'days', eventColumn: 'died', maximum: 100 },
  missing: 'drop-row',
  minRows: 1,
  maxRows: 1_000,
};

const plan: StatisticsPlan = {
  histograms: [
    { column: 'age', bins: 10 },
    { column: 'stage', bins: 0 },
  ],
  correlations: ['age', 'chol', 'sex'],
  contingency: [{ rows: 'sex', columns: 'stage' }],
  missingness: true,
  survival: { bins: 4, by: '' },
};

/** age, chol, sex, stage, time (negative: censored) */
type Row = [number, number, number, number, number];

function silo(rows: readonly Row[], droppedRows = 0): CountedRows {
  return {
    rows: rows.length,
    features: Float32Array.from(rows.flatMap((row) => row.slice(0, 4))),
    targets: Float32Array.from(rows.map((row) => row[4])),
    droppedRows,
    missing: [droppedRows, 0, 0, 0],
  };
}

const records: Row[] = Array.from({ length: 60 }, (_, i) => [
  (i * 37) % 100,
  2 * ((i * 37) % 100) + ((i * 13) % 40),
  i % 2,
  i % 3,
  (1 + ((i * 29) % 99)) * (i % 4 === 0 ? -1 : 1),
]);
const silos = [silo(records.slice(0, 30), 2), silo(records.slice(30, 50)), silo(records.slice(50), 7)];

function reportOf(smallestCell: number, terms = plan, parts: readonly CountedRows[] = silos): StatisticsReport {
  const layout = vectorLayout(deriveLayout({ kind: 'statistics', contract, plan: terms }, room));
  const values = sumOf(
    layout,
    parts.map((rows) => statisticsSegments(rows, contract, terms, smallestCell)),
  );
  return readStatisticsReport({ layout, values }, contract, terms, parts.length);
}

const countsOf = (cells: readonly { count: number }[]): number[] => cells.map(({ count }) => count);

describe('tables of all silos together', () => {
  const report = reportOf(0);

  it('count what the pooled records have', () => {
    const [ages, stages] = report.histograms;
    expect(countsOf(ages!.cells)).toEqual(
      Array.from({ length: 10 }, (_, bin) => records.filter(([age]) => Math.floor(age / 10) === bin).length),
    );
    expect(countsOf(stages!.cells)).toEqual([20, 20, 20]);
    expect(report.contingency[0]!.cells.map(countsOf)).toEqual([
      [10, 10, 10],
      [10, 10, 10],
    ]);
    expect(report.missing).toEqual({
      droppedRecords: { count: 9, leftOut: 0 },
      columns: [
        { column: 'age', count: 9, leftOut: 0 },
        ...['chol', 'sex', 'stage'].map((column) => ({ column, count: 0, leftOut: 0 })),
      ],
    });
  });

  it('bound every quantile', () => {
    const ages = records.map(([age]) => age).sort((a, b) => a - b);
    for (const { part, value, lowest, highest } of report.histograms[0]!.quantiles) {
      const exact = ages[Math.ceil(part * ages.length) - 1]!;
      expect(exact).toBeGreaterThanOrEqual(lowest);
      expect(exact).toBeLessThanOrEqual(highest);
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(10);
      expect(highest - lowest).toBeCloseTo(10);
    }
  });

  it("give Pearson's correlations", () => {
    const pearson = (a: 0 | 1 | 2, b: 0 | 1 | 2): number => {
      const mean = (at: 0 | 1 | 2): number => records.reduce((sum, row) => sum + row[at], 0) / records.length;
      const [ma, mb] = [mean(a), mean(b)];
      const dot = (x: 0 | 1 | 2, y: 0 | 1 | 2, mx: number, my: number): number =>
        records.reduce((sum, row) => sum + (row[x] - mx) * (row[y] - my), 0);
      return dot(a, b, ma, mb) / Math.sqrt(dot(a, a, ma, ma) * dot(b, b, mb, mb));
    };
    const { matrix } = report.correlations!;
    for (const a of [0, 1, 2] as const)
      for (const b of [0, 1, 2] as const) expect(matrix[a]![b]).toBeCloseTo(pearson(a, b), 3);
  });

  it('give a survival curve that holds the one of the records themselves', () => {
    const [curve] = report.survival;
    let exact = 1;
    const sorted = [...records].sort((a, b) => Math.abs(a[4]) - Math.abs(b[4]) || b[4] - a[4]);
    let at = 0;
    for (const point of curve!.points) {
      for (; at < sorted.length && Math.abs(sorted[at]![4]) < point.time; at++)
        if (sorted[at]![4] > 0) exact *= 1 - 1 / (sorted.length - at);
      expect(point.survival).toBeGreaterThanOrEqual(exact - 1e-9);
      expect(point.lowest).toBeLessThanOrEqual(exact + 1e-9);
      expect(point.lowest).toBeLessThan(point.survival);
    }
    expect(curve!.points[0]).toMatchObject({ time: 25, atRisk: 60 });
  });
});

describe('small cells', () => {
  it('are left out, and said to be', () => {
    const { counts, left } = withoutSmallCells(Float64Array.of(0, 3, 7, 9, 20), 5, true);
    // 3 alone would follow from the rest, so 7 goes too. A zero stays one.
    expect([...counts]).toEqual([0, 0, 0, 9, 20]);
    expect([...left]).toEqual([0, 1, 1, 0, 0]);
    expect([...withoutSmallCells(Float64Array.of(3, 7), 5, false).left]).toEqual([1, 0]);
    expect([...withoutSmallCells(Float64Array.of(5, 7), 5, true).left]).toEqual([0, 0]);
    expect([...withoutSmallCells(Float64Array.of(1, 7), 0, true).left]).toEqual([0, 0]);
  });

  it('leave bounds that still hold', () => {
    const report = reportOf(5);
    const [ages] = report.histograms;
    expect(ages!.cells.some(({ leftOut }) => leftOut > 0)).toBe(true);
    expect(ages!.recordsLeftOut).toBe(60 - countsOf(ages!.cells).reduce((a, b) => a + b, 0));
    const sorted = records.map(([age]) => age).sort((a, b) => a - b);
    for (const { part, lowest, highest } of ages!.quantiles) {
      const exact = sorted[Math.ceil(part * sorted.length) - 1]!;
      expect(exact).toBeGreaterThanOrEqual(lowest);
      expect(exact).toBeLessThanOrEqual(highest);
    }
    // 2 of the first silo are left out, 7 of the last are not.
    expect(report.missing!.droppedRecords).toEqual({ count: 7, leftOut: 1 });
  });

  it('change neither means nor the layout', () => {
    expect(reportOf(5).features).toEqual(reportOf(0).features);
  });
});

describe('a plan', () => {
  const manifest = (terms: StatisticsPlan, data: Contract = contract) =>
    statisticsManifest({
      recipe: encode(PlanMessage, {
        ...terms,
        histograms: [...terms.histograms],
        correlations: [...terms.correlations],
        contingency: [...terms.contingency],
      }),
      dataContract: encodeContract(data),
    });

  it('comes back from its bytes', () => {
    expect(parseJob(manifest(plan))).toMatchObject({ kind: 'statistics', plan });
  });

  it.each<[string, Partial<StatisticsPlan>, string]>([
    ['a histogram of what is no feature', { histograms: [{ column: 'x', bins: 5 }] }, 'one of the features'],
    ['bins of categories', { histograms: [{ column: 'sex', bins: 5 }] }, 'counted one by one'],
    ['no bins of numbers', { histograms: [{ column: 'age', bins: 0 }] }, '2 to 10000 bins'],
    ['one correlation', { correlations: ['age'] }, 'two features or more'],
    ['a table of numbers', { contingency: [{ rows: 'age', columns: 'sex' }] }, 'a feature with categories'],
    ['curves by numbers', { survival: { bins: 4, by: 'age' } }, 'a feature with categories'],
    ['a target without curves', { survival: undefined }, 'together with statistics.survival'],
  ])('is refused with %s', (_, changes, why) => {
    expect(() => parseJob(manifest({ ...plan, ...changes }))).toThrow(why);
  });

  it('is needed for a target', () => {
    expect(() => parseJob(manifest(NO_TABLES))).toThrow('data_contract.target');
  });
});
