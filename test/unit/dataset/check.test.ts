// A contract against records: everything that does not fit, by column and row, with the values only where a terminal would show them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLines } from '../../../silo-agent/commands/data.js';
import { checkDataSet, dataFits, readDataSet, type DataCheck, type DataSetSource } from '../../../src/dataset/index.js';
import type { Contract } from '../../../src/job/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const contract: Contract = {
  dataSet: 'heart',
  features: [
    { column: 'age', minimum: 0, maximum: 120, unit: 'years' },
    { column: 'sex', minimum: 0, maximum: 1, unit: '', categories: ['f', 'm'] },
    { column: 'stage', minimum: 0, maximum: 2, unit: '', categories: ['1', '2', '4'], missing: 'drop-row' },
    { column: 'chol', minimum: 0, maximum: 700, unit: 'mg/dl', missing: { fill: 200 } },
  ],
  target: { kind: 'binary', column: 'sick' },
  missing: 'refuse',
  minRows: 1,
  maxRows: 100,
};

function source(content: string, units?: DataSetSource['units']): DataSetSource {
  const folder = temporaryFolder();
  const file = join(folder, 'data.csv');
  writeFileSync(file, content);
  return { name: 'heart', query: `SELECT * FROM '${file}'`, directories: [folder], units };
}

const HEADER = 'age,sex,stage,chol,sick\n';
const good = `${HEADER}63,m,4,233,1\n44,f,1,,0\n50,f,,180,1\n`;

describe('records that fit', () => {
  it('become positions of their categories, with what is missing filled in or left out', async () => {
    const { rows, features, droppedRows } = await readDataSet(source(good), contract);
    expect({ rows, droppedRows }).toEqual({ rows: 2, droppedRows: 1 });
    expect(features).toEqual(Float32Array.of(63, 1, 2, 233, 44, 0, 0, 200));
  });

  it('are counted', async () => {
    const result = await checkDataSet(source(good, { age: 'years' }), contract);
    expect(dataFits(result)).toBe(true);
    expect(result).toMatchObject({ rows: 3, usable: 2, dropped: 1, broken: 0, findings: [] });
    expect(result.columns.filter(({ missing }) => missing > 0).map(({ column }) => column)).toEqual(['stage', 'chol']);
  });
});

describe('records that do not fit', () => {
  const bad = `${HEADER}431,m,4,233,1\n,f,1,200,0\n50,x,9,180,3\n51,m,2,100,1\n`;
  const findings = ({ findings: list }: DataCheck) => list.map(({ column, problem, rows }) => [column, problem, rows]);

  it('are all listed, by column and row', async () => {
    const result = await checkDataSet(source(bad), contract);
    expect(findings(result)).toEqual([
      ['age', 'outside its declared range of 0 to 120', [1]],
      ['age', 'missing (NULL)', [2]],
      ['sex', 'not one of its categories', [3]],
      ['stage', 'not one of its categories', [3]],
      ['sick', 'neither 0 nor 1', [3]],
    ]);
    expect(result).toMatchObject({ rows: 4, usable: 1, broken: 3 });
  });

  it('are shown with their values only where values are asked for', async () => {
    const result = await checkDataSet(source(bad), contract);
    const lines = (values: boolean): string => checkLines({ job: 'j', contract }, result, values).join('\n');
    expect(lines(true)).toContain('COLUMN age: outside its declared range of 0 to 120 in 1 row');
    expect(lines(true)).toContain('expected a number from 0 to 120 years');
    expect(lines(true)).toContain('row 1 (431)');
    expect(lines(false)).not.toContain('431');
  });

  it('stop a job under a code, without a value', async () => {
    await expect(readDataSet(source(bad), contract)).rejects.toMatchObject({
      code: 'dataset/bad-values',
      message: expect.not.stringContaining('431') as unknown,
    });
  });

  it('lack a column, have one of another type or in another unit', async () => {
    const other = source('age,sex,stage,chol\nold,m,4,233\n', { chol: 'mmol/l' });
    const result = await checkDataSet(other, contract);
    expect(findings(result)).toEqual([
      ['age', 'of type VARCHAR', []],
      ['chol', 'in mmol/l, says this configuration', []],
      ['sick', 'the query gives no such column', []],
    ]);
    expect(dataFits(result)).toBe(false);
    const units = source(good, { chol: 'mmol/l' });
    await expect(readDataSet(units, contract)).rejects.toMatchObject({ code: 'dataset/wrong-unit' });
  });

  it('are too few', async () => {
    const result = await checkDataSet(source(good), { ...contract, minRows: 3 });
    expect(result.findings).toEqual([]);
    expect(dataFits(result)).toBe(false);
    expect(checkLines({ job: 'j', contract: { ...contract, minRows: 3 } }, result, false)).toContain(
      '  ROWS  2 usable, the job takes from 3 to 100',
    );
  });
});
