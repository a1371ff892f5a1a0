// Small tables of invented patients, one for each silo: the same in every run.

import { seededNumbers } from '../onnx-models.js';

export const DATA_SET = 'heart';
export const COLUMNS = ['age', 'pressure', 'chol', 'sick'] as const;
/** Declared ranges of the features, wider than what occurs. */
export const RANGES = [
  { column: 'age', minimum: 0, maximum: 120, unit: 'years' },
  { column: 'pressure', minimum: 50, maximum: 250, unit: 'mmHg' },
  { column: 'chol', minimum: 0, maximum: 700, unit: 'mg/dl' },
] as const;

export type Row = readonly [age: number, pressure: number, chol: number, sick: number];

/** Who is older and has more cholesterol is more often sick; five decimals, so that a value is recognised wherever it turns up. */
export function patients(rows: number, seed: number): Row[] {
  const next = seededNumbers(seed * 7919 + 17);
  const spread = (middle: number, width: number): number => Number((middle + width * next()).toFixed(5));
  return Array.from({ length: rows }, () => {
    const [age, pressure, chol] = [spread(56, 30), spread(135, 40), spread(260, 150)];
    const risk = (age - 56) / 30 + (chol - 260) / 150 + (pressure - 135) / 160;
    return [age, pressure, chol, risk + 0.5 * next() > 0 ? 1 : 0];
  });
}

export function csvOf(rows: readonly (readonly (number | string)[])[], header: readonly string[] = COLUMNS): string {
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}

/** What a statistics job adds up, computed in the clear from float32 values as the agents read them: of x' in [0, 1]. */
export function trueSums(tables: readonly (readonly Row[])[]): { rows: number; sum: number[]; squares: number[] } {
  const sum = RANGES.map(() => 0);
  const squares = RANGES.map(() => 0);
  let rows = 0;
  for (const table of tables)
    for (const row of table) {
      rows += 1;
      RANGES.forEach(({ minimum, maximum }, k) => {
        const x = (Math.fround(row[k]!) - minimum) / (maximum - minimum);
        sum[k]! += x;
        squares[k]! += x * x;
      });
    }
  return { rows, sum, squares };
}
