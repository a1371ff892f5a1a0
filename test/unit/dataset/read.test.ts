// Reading records: formats, columns, values, and every refusal. No error may quote a value, so each test's bad values are searched for.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/job/index.js';
import { DataSetError, readDataSet, type DataSet } from '../../../src/dataset/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { held } from '../../support/held.js';

const contract: Contract = {
  dataSet: 'heart',
  features: [
    { column: 'age', minimum: 0, maximum: 120, unit: 'years' },
    { column: 'chol', minimum: 0, maximum: 700, unit: 'mg/dl' },
  ],
  target: { kind: 'binary', column: 'sick' },
  missing: 'refuse',
  minRows: 1,
  maxRows: 100_000,
};

function csv(content: string, name = 'data.csv'): { folder: string; file: string } {
  const folder = temporaryFolder();
  const file = join(folder, name);
  writeFileSync(file, content);
  return { folder, file };
}

async function readText(content: string, terms: Contract = contract, select = 'SELECT *'): Promise<DataSet> {
  const { folder, file } = csv(content);
  return readDataSet({ name: 'heart', query: `${select} FROM '${file}'`, directories: [folder] }, terms);
}

async function refusal(reading: Promise<unknown>): Promise<DataSetError> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof DataSetError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const good = 'sick,age,chol,name\n1,63,233,x\n0,44.5,130,y\n';

describe('a data set', () => {
  it('is read from CSV: columns by name, rows in order', async () => {
    const { rows, features, targets, droppedRows } = await readText(good);
    expect({ rows, features, targets, droppedRows }).toEqual({
      rows: 2,
      features: Float32Array.of(63, 233, 44.5, 130),
      targets: Float32Array.of(1, 0),
      droppedRows: 0,
    });
  });

  it.each(['parquet', 'json'])('is read from %s and gives the same as from CSV', async (format) => {
    const { folder, file } = csv(good);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    const copy = join(folder, `data.${format}`);
    await connection.run(`COPY (SELECT * FROM '${file}') TO '${copy}' (FORMAT ${format})`);
    connection.closeSync();
    instance.closeSync();
    const read = (path: string) =>
      readDataSet({ name: 'heart', query: `FROM '${path}'`, directories: [folder] }, contract);
    expect(await read(copy)).toEqual(await read(file));
  });

  it('may be computed: joins, casts and decimals are the query’s business', async () => {
    const { folder, file } = csv(good);
    const query = `SELECT a.age::DECIMAL(9, 2) AS age, a.chol::HUGEINT AS chol, a.sick = 1 AS sick FROM '${file}' a JOIN '${file}' b USING (name) ORDER BY age`;
    const { features, targets } = await readDataSet({ name: 'heart', query, directories: [folder] }, contract);
    expect(features).toEqual(Float32Array.of(44.5, 130, 63, 233));
    expect(targets).toEqual(Float32Array.of(0, 1));
  });

  it('is read whole when it is larger than a batch', async () => {
    const { rows, features } = await readDataSet(
      {
        name: 'heart',
        query: 'SELECT range % 100 AS age, 1.5 AS chol, range % 2 AS sick FROM range(50000)',
        directories: [],
      },
      contract,
    );
    expect(rows).toBe(50_000);
    expect(features).toHaveLength(100_000);
    const values = held(features);
    expect([values[2 * 49_999], values[2 * 2048], values[2 * 2047]]).toEqual([99, 48, 47]);
  });

  it('has no targets where the contract has none', async () => {
    const { targets } = await readText(good, { ...contract, target: undefined });
    expect(targets).toHaveLength(0);
  });

  it('reads classes and real targets', async () => {
    const classes = { ...contract, target: { kind: 'classes', column: 'sick', classes: 2 } } as const;
    expect((await readText(good, classes)).targets).toEqual(Float32Array.of(1, 0));
    const real = { ...contract, target: { kind: 'real', column: 'chol', minimum: 0, maximum: 700 } } as const;
    expect((await readText(good, { ...real, features: [contract.features[0]!] })).targets).toEqual(
      Float32Array.of(233, 130),
    );
  });
});

describe('the version of a data set', () => {
  const version = async (content: string): Promise<string> => (await readText(content)).version;

  it('stays when rows come in another order or other columns change', async () => {
    const same = 'age,chol,sick,name\n44.5,130,0,z\n63,233,1,z\n';
    expect(await version(same)).toBe(await version(good));
  });

  it('does not tell 0 from -0, which are one value', async () => {
    const zero = 'age,chol,sick\n0.0,1,1\n';
    expect(await version(zero.replace('0.0', '-0.0'))).toBe(await version(zero));
  });

  it('changes with any value, and with a row more', async () => {
    const versions = await Promise.all(
      [good, good.replace('233', '234'), good.replace('1,63', '0,63'), `${good}0,44.5,130,y\n`].map(version),
    );
    expect(new Set(versions).size).toBe(4);
  });
});

describe('records are refused, without their values,', () => {
  it('when a column is missing, which is named', async () => {
    const { code, message } = await refusal(readText('age,sick\n63.77,1\n'));
    expect(code).toBe('dataset/missing-column');
    expect(message).toBe('data set heart has no column chol.');
  });

  it('when the header line is missing, whose values are not told as names', async () => {
    const { message } = await refusal(readText('63.77,211.3,1\n'));
    expect(message).not.toMatch(/63|211/);
  });

  it('when a column occurs twice', async () => {
    const { code } = await refusal(readText(good, contract, 'SELECT age AS chol, *'));
    expect(code).toBe('dataset/missing-column');
  });

  it('when a column is text, which is named', async () => {
    const { code, message } = await refusal(readText('age,chol,sick\n63,high,1\n'));
    expect(code).toBe('dataset/wrong-type');
    expect(message).toContain('column chol');
    expect(message).not.toContain('high');
  });

  it('when values lie outside the declared range, naming column and rows', async () => {
    const { code, message } = await refusal(readText('age,chol,sick\n63,1,1\n131.25,1,0\n-3.5,1,1\n'));
    expect(code).toBe('dataset/bad-values');
    expect(message).toBe('data set heart: column age: outside its declared range of 0 to 120 in rows 2, 3.');
  });

  it('when they are not finite', async () => {
    const { message } = await refusal(readText('age,chol,sick\nnan,1,1\n1,inf,1\n'));
    expect(message).toBe(
      'data set heart: column age: not a finite number in row 1; column chol: not a finite number in row 2.',
    );
  });

  it('when a value is missing and the contract says refuse', async () => {
    const { message } = await refusal(readText('age,chol,sick\n1,1,1\n,1,1\n'));
    expect(message).toContain('column age: missing (NULL) in row 2');
  });

  it('after five rows it only says how many more', async () => {
    const lines = Array.from({ length: 12 }, () => '999,1,1').join('\n');
    const { message } = await refusal(readText(`age,chol,sick\n${lines}\n`));
    expect(message).toContain('in rows 1, 2, 3, 4, 5 and 7 more');
    expect(message).not.toContain('999');
  });

  it.each<[string, Contract['target'], string]>([
    ['a binary target is neither 0 nor 1', { kind: 'binary', column: 'y' }, 'neither 0 nor 1'],
    ['a class is too high', { kind: 'classes', column: 'y', classes: 3 }, 'not a class number from 0 to 2'],
    [
      'a real target is out of range',
      { kind: 'real', column: 'y', minimum: 0, maximum: 2.5 },
      'outside its declared range',
    ],
  ])('when %s', async (_what, target, rule) => {
    const { message } = await refusal(readText('age,chol,y\n1,1,1\n1,1,3\n', { ...contract, target }));
    expect(message).toContain(`column y: ${rule}`);
    expect(message).toContain('in row 2');
  });

  it('when there are too few or too many', async () => {
    expect((await refusal(readText(good, { ...contract, minRows: 3 }))).code).toBe('dataset/too-few-rows');
    expect((await refusal(readText(good, { ...contract, maxRows: 1 }))).code).toBe('dataset/too-many-rows');
  });

  it('but rows with a missing value are dropped and counted where the contract says so', async () => {
    const dropping = { ...contract, missing: 'drop-row' } as const;
    const { rows, droppedRows, targets } = await readText('age,chol,sick\n1,1,1\n,1,0\n2,2,\n3,3,0\n', dropping);
    expect({ rows, droppedRows, targets }).toEqual({ rows: 2, droppedRows: 2, targets: Float32Array.of(1, 0) });
  });

  it('even in a row that would be dropped', async () => {
    const dropping = { ...contract, missing: 'drop-row' } as const;
    expect((await refusal(readText('age,chol,sick\n1,1,1\n,900,0\n', dropping))).code).toBe('dataset/bad-values');
  });

  it('when a file does not parse, without quoting its lines', async () => {
    const { folder, file } = csv('age,chol,sick\n1,2,3\nsecretname,2,3\n');
    const query = `SELECT * FROM read_csv('${file}', columns = {'age': 'INTEGER', 'chol': 'INTEGER', 'sick': 'INTEGER'}, header = true)`;
    const error = await refusal(readDataSet({ name: 'heart', query, directories: [folder] }, contract));
    expect(error.code).toBe('dataset/query-failed');
    expect(`${error.describe()} ${String(error.cause)}`).not.toContain('secretname');
  });
});

describe('the unit of privacy', () => {
  const units = { ...contract, unitColumn: 'name' };

  it('is the column of the contract: rows with equal values have one number, in order of appearance', async () => {
    const found = await readText('sick,age,chol,name\n1,63,233,x\n0,44,130,y\n1,50,200,x\n', units);
    expect(found.units).toEqual(Uint32Array.of(0, 1, 0));
    expect((await readText(good)).units).toBeUndefined();
  });

  it.each([
    ['whole numbers beyond 2^53', '9007199254740993::BIGINT, 9007199254740992::BIGINT'],
    ['dates', "DATE '2020-01-02', DATE '2020-01-03'"],
    ['identifiers', "uuid '00000000-0000-0000-0000-000000000001', uuid '00000000-0000-0000-0000-000000000002'"],
    ['decimals', '1.50::DECIMAL(9,2), 1.51::DECIMAL(9,2)'],
  ])('may be %s, whose values are only compared', async (_what, values) => {
    const [first, second] = values.split(', ');
    const select = `SELECT * REPLACE (CASE name WHEN 'x' THEN ${first} ELSE ${second} END AS name)`;
    const found = await readText('sick,age,chol,name\n1,63,233,x\n0,44,130,y\n1,50,200,x\n', units, select);
    expect(found.units).toEqual(Uint32Array.of(0, 1, 0));
  });

  it('is not asked of rows that are left out, and refused where it is missing', async () => {
    const text = 'sick,age,chol,name\n1,,233,\n0,44,130,y\n';
    const found = await readText(text, { ...units, missing: 'drop-row' });
    expect([found.rows, found.units]).toEqual([1, Uint32Array.of(0)]);
    const error = await refusal(readText('sick,age,chol,name\n1,63,233,\n0,44,130,y\n', units));
    expect(error.message).toContain('name: missing (NULL)');
    expect((await refusal(readText('sick,age,chol\n1,63,233\n', units))).code).toBe('dataset/missing-column');
  });
});
