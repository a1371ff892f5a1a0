// Statistics from rows through quantised sums and back, against direct computation.

import { describe, expect, it } from 'vitest';
import { deriveLayout, readStatistics, statisticsSegments, type FeatureRows } from '../../../src/job/index.js';
import { segmentNamed } from '../../../src/vector/index.js';
import { room, statisticsContract as contract } from '../../support/jobs.js';
import { sumOf } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';
import { held } from '../../support/held.js';

const layout = vectorLayout(deriveLayout({ kind: 'statistics', contract }, room));

function rowsOf(...rows: [number, number][]): FeatureRows {
  return { rows: rows.length, features: Float32Array.from(rows.flat()) };
}

const silos = [
  rowsOf([30, 200], [41, 210], [52, 250]),
  rowsOf([63, 300], [74, 180]),
  rowsOf([25, 190], [35, 220], [45, 240], [55, 260]),
];
const opened = sumOf(
  layout,
  silos.map((rows) => statisticsSegments(rows, contract)),
);

describe('statistics of all silos together', () => {
  it('are the mean and the population standard deviation of the pooled rows', () => {
    const { rows, mean, standardDeviation } = readStatistics({ layout, values: opened }, contract, 3);
    expect(rows).toBe(9);
    const ages = silos.flatMap(({ features }) => [...held(features)].filter((_, i) => i % 2 === 0));
    const centre = ages.reduce((a, b) => a + b, 0) / 9;
    const variance = ages.reduce((a, x) => a + (x - centre) ** 2, 0) / 9;
    expect(mean[0]).toBeCloseTo(centre, 2);
    expect(standardDeviation[0]).toBeCloseTo(Math.sqrt(variance), 2);
  });

  it('are the same bytes each time', () => {
    const once = readStatistics({ layout, values: opened }, contract, 3);
    const twice = readStatistics({ layout, values: Int32Array.from(opened) }, contract, 3);
    expect(twice).toEqual(once);
  });

  it('give a deviation of exactly 0 to a column that does not vary', () => {
    const constant = Array.from({ length: 5 }, () => statisticsSegments(rowsOf([50, 200], [50, 300]), contract));
    const { mean, standardDeviation } = readStatistics({ layout, values: sumOf(layout, constant) }, contract, 5);
    expect(standardDeviation[0]).toBe(0);
    expect(mean[0]).toBeCloseTo(50, 2);
    expect(standardDeviation[1]).toBeCloseTo(50, 0);
  });

  const changed = (name: string, value: number): Int32Array => {
    const values = Int32Array.from(opened);
    values[segmentNamed(layout, name)!.offset] = value;
    return values;
  };

  it.each<[string, Int32Array]>([
    ['no records', changed('rows', 0)],
    ['a negative count', changed('rows', -3)],
    ['more records than the silos may have', changed('rows', 30_001)],
    ['a mean below the declared range', changed('sum', -100_000_000)],
    ['a mean above the declared range', changed('sum', 2_000_000_000)],
    ['squares larger than values in [0, 1] have', changed('sum-of-squares', 2_000_000_000)],
    ['squares too small for their mean', changed('sum-of-squares', 0)],
    ['another length', opened.subarray(1)],
  ])('refuse a sum with %s', (_what, values) => {
    expect(() => readStatistics({ layout, values }, contract, 3)).toThrow(
      expect.objectContaining({ code: 'job/bad-sum' }),
    );
  });

  it('refuse rows that are not whole', () => {
    expect(() => statisticsSegments({ rows: 2, features: new Float32Array(3) }, contract)).toThrow(
      expect.objectContaining({ code: 'job/bad-contribution' }),
    );
  });

  it('never send a value outside the declared range, even at its edge in float32', () => {
    const narrow = { ...contract, features: [{ column: 'a', minimum: 0.1, maximum: 0.3, unit: '' }] };
    const edge = Float32Array.of(0.1, 0.3);
    const [, sum, squares] = statisticsSegments({ rows: 2, features: edge }, narrow);
    expect(sum!.values[0]).toBeLessThanOrEqual(1 + 1e-6);
    expect(squares!.values[0]).toBeLessThanOrEqual(sum!.values[0]!);
  });
});
