// The demo's table and its split into hospitals.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatCsv, parseCsv, readCsv, type CsvTable } from '../../../tools/demo/csv.js';
import { splitRecords, writeSplit, type Split } from '../../../tools/demo/split.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const text = readFileSync('examples/data/wdbc.csv', 'utf8');
const wdbc = parseCsv(text);
const options = { silos: 5, seed: 7, target: 'malignant' };

const share = ({ rows }: CsvTable): number => rows.filter((row) => row.at(-1) === '1').length / rows.length;
const linesOf = ({ silos, test }: Split): string[] =>
  [...silos.map(({ table }) => table), test].flatMap(({ rows }) => rows.map((row) => row.join(',')));

describe('the table', () => {
  it('has 569 records of 30 features, 212 of them malignant', () => {
    expect(wdbc.header).toHaveLength(31);
    expect(wdbc.rows).toHaveLength(569);
    expect(wdbc.rows.filter((row) => row[30] === '1')).toHaveLength(212);
    expect(formatCsv(wdbc)).toBe(text);
  });

  it('calls the large ones malignant', () => {
    const radius = (label: string): number => {
      const cells = wdbc.rows.filter((row) => row[30] === label).map((row) => Number(row[0]));
      return cells.reduce((a, b) => a + b, 0) / cells.length;
    };
    expect(radius('1')).toBeGreaterThan(radius('0') + 4);
  });
});

describe('the split', () => {
  it('uses every record exactly once', () => {
    const lines = linesOf(splitRecords(wdbc, options));
    expect(lines.sort()).toEqual(wdbc.rows.map((row) => row.join(',')).sort());
  });

  it('gives five hospitals 35, 25, 18, 13 and 9 % of what is not the test', () => {
    const { silos, test } = splitRecords(wdbc, options);
    expect(test.rows).toHaveLength(142);
    expect(silos.map(({ table }) => Math.round((100 * table.rows.length) / 427))).toEqual([35, 25, 18, 13, 9]);
    expect(silos.map(({ id }) => id)).toEqual(['hospital-a', 'hospital-b', 'hospital-c', 'hospital-d', 'hospital-e']);
  });

  it('gives hospitals different shares of malignant records, and the test the share of all', () => {
    const { silos, test } = splitRecords(wdbc, options);
    const shares = silos.map(({ table }) => share(table));
    expect(Math.max(...shares) / Math.min(...shares)).toBeGreaterThan(1.5);
    expect(share(test)).toBeCloseTo(212 / 569, 2);
  });

  it('is the same for the same seed and another for another', () => {
    expect(splitRecords(wdbc, options)).toEqual(splitRecords(wdbc, options));
    expect(linesOf(splitRecords(wdbc, { ...options, seed: 8 }))).not.toEqual(linesOf(splitRecords(wdbc, options)));
  });

  it.each(Array.from({ length: 18 }, (_, i) => i + 3))('works for %d hospitals', (silos) => {
    const split = splitRecords(wdbc, { ...options, silos });
    expect(split.silos).toHaveLength(silos);
    expect(linesOf(split)).toHaveLength(569);
    for (const { table } of split.silos) {
      const positives = table.rows.filter((row) => row[30] === '1').length;
      expect(Math.min(positives, table.rows.length - positives)).toBeGreaterThanOrEqual(3);
    }
  });

  it('refuses hospitals with too few records of a class, and names the first', () => {
    const few: CsvTable = { header: wdbc.header, rows: wdbc.rows.slice(0, 60) };
    expect(() => splitRecords(few, { ...options, silos: 10 })).toThrow(/leave hospital-\w with fewer than 3/);
  });

  it('refuses 2 hospitals, 21 hospitals and a target that is not 0 or 1', () => {
    expect(() => splitRecords(wdbc, { ...options, silos: 2 })).toThrow(/3 to 20/);
    expect(() => splitRecords(wdbc, { ...options, silos: 21 })).toThrow(/3 to 20/);
    expect(() => splitRecords(wdbc, { ...options, target: 'radius_mean' })).toThrow(/0 or 1/);
    expect(() => splitRecords(wdbc, { ...options, target: 'benign' })).toThrow(/no column benign/);
  });

  it('writes one file per hospital and one for the test', async () => {
    const folder = temporaryFolder();
    const split = splitRecords(wdbc, options);
    const paths = await writeSplit(folder, split);
    expect(readdirSync(folder)).toHaveLength(6);
    expect(await readCsv(paths.get('hospital-c') ?? '')).toEqual(split.silos[2]!.table);
  });
});

describe('the CSV reader', () => {
  it('refuses quotes and rows of another length', () => {
    expect(() => parseCsv('a,b\n"1",2\n')).toThrow(/quotes/);
    expect(() => parseCsv('a,b\n1,2\n3\n')).toThrow(/row 2 has 1 cells/);
  });
});
