// PostgreSQL as a source, against a real server: types, categories, errors by code, and that what is asked cannot write.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkDataSet,
  DataSetError,
  probeDataSet,
  readDataSet,
  type DataSetSource,
} from '../../../src/dataset/index.js';
import type { Contract } from '../../../src/job/index.js';
import { held } from '../../support/held.js';
import { hasPostgres, PostgresServer } from '../../support/postgres.js';
import { OddAuthority } from '../../support/odd-certificate.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const contract: Contract = {
  dataSet: 'heart',
  features: [
    { column: 'age', minimum: 0, maximum: 120, unit: '' },
    { column: 'chol', minimum: 0, maximum: 700, unit: '', missing: { fill: 200 } },
    { column: 'sex', minimum: 0, maximum: 1, unit: '', categories: ['f', 'm'] },
    { column: 'smoker', minimum: 0, maximum: 1, unit: '' },
  ],
  target: { kind: 'binary', column: 'sick' },
  missing: 'refuse',
  minRows: 1,
  maxRows: 1_000_000,
};

const TABLE = `
  CREATE TYPE sex AS ENUM ('f', 'm');
  CREATE DOMAIN years AS smallint CHECK (VALUE >= 0);
  CREATE TABLE patients (id int PRIMARY KEY, age years, chol numeric(5, 1), sex sex, smoker boolean, sick bigint, born date);
  INSERT INTO patients VALUES (1, 63, 233.5, 'm', true, 1, '1950-01-01'), (2, 44, NULL, 'f', false, 0, NULL);
  CREATE ROLE reader LOGIN PASSWORD 'read';
  CREATE TABLE secrets (name text);
  GRANT SELECT ON patients TO reader;
`;
const ALL = 'SELECT age, chol, sex, smoker, sick, born FROM patients ORDER BY id';
/** What else the contract names. */
const REST = 'chol, sex, smoker, sick';

describe.skipIf(!hasPostgres())('a PostgreSQL server', () => {
  let server: PostgresServer;
  let folder: string;
  let ca: string;

  beforeAll(async () => {
    const { chainPem, authorityPem, privateKeyPem } = await (await OddAuthority.create()).issue([]);
    folder = mkdtempSync(join(tmpdir(), 'veilsum-test-'));
    ca = join(folder, 'ca.pem');
    writeFileSync(ca, authorityPem);
    server = await PostgresServer.start({ tls: { certificatePem: chainPem, keyPem: privateKeyPem } });
    const client = await server.client('postgres', { ca: authorityPem });
    await client.query(TABLE);
    await client.end();
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const place = (changes: object = {}) => ({
    url: server.url(),
    passwordFile: server.passwordFile,
    tls: { ca },
    ...changes,
  });
  const source = (query = ALL, changes: object = {}): DataSetSource => ({
    name: 'heart',
    query,
    postgres: place(changes),
  });
  const refusal = async (from: DataSetSource): Promise<DataSetError> => {
    const error: unknown = await readDataSet(from, contract).catch((cause: unknown) => cause);
    if (error instanceof DataSetError) return error;
    throw error;
  };

  it('gives numbers, decimals, booleans, enumerations and NULL as files do', async () => {
    const { rows, features, targets, missing } = await readDataSet(source(), contract);
    expect({ rows, targets: [...targets], missing }).toEqual({ rows: 2, targets: [1, 0], missing: [0, 1, 0, 0] });
    expect([...held(features)]).toEqual([63, 233.5, 1, 1, 44, 200, 0, 0]);
    expect(await probeDataSet(source())).toBe(6);
  });

  it('streams more rows than a batch, in order', async () => {
    const query = `SELECT (i % 100)::int2 AS age, i::float4 / 100 AS chol, CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END AS sex,
      i % 3 = 0 AS smoker, i % 2 AS sick FROM generate_series(0, 4999) i`;
    const { rows, features } = await readDataSet(source(query), contract);
    expect(rows).toBe(5000);
    expect([...held(features).subarray(4 * 4321, 4 * 4321 + 4)]).toEqual([21, Math.fround(43.21), 1, 0]);
  });

  it('is held against a contract by column and row', async () => {
    const query = `SELECT 431 AS age, 'NaN'::float8 AS chol, 'x' AS sex, born AS smoker, 2 AS sick FROM patients`;
    const { findings } = await checkDataSet(source(query), contract);
    expect(findings.map(({ column, problem }) => [column, problem])).toEqual([
      ['age', 'outside its declared range of 0 to 120'],
      ['chol', 'not a finite number'],
      ['sex', 'not one of its categories'],
      ['smoker', 'of type date'],
      ['sick', 'neither 0 nor 1'],
    ]);
  });

  it.each([
    ['a write', 'DELETE FROM patients RETURNING age'],
    ['a write within', 'WITH gone AS (DELETE FROM patients RETURNING *) SELECT * FROM gone'],
    ['two statements', 'SELECT 1; SELECT 2'],
    ['a command', 'VACUUM'],
    ['a copy', 'COPY patients TO STDOUT'],
    ['a function that writes', "SELECT setval(pg_get_serial_sequence('patients', 'id'), 1) AS age"],
    ['locks', `${ALL} FOR UPDATE`],
    ['parameters', 'SELECT $1::int AS age'],
    ['no SQL', 'SELEC age'],
    ['an unknown table', 'SELECT * FROM nowhere'],
    ['an unknown column', 'SELECT nothing FROM patients'],
  ])('runs nothing but one SELECT that reads: %s is refused', async (_, query) => {
    const { code } = await refusal(source(query));
    expect(['dataset/query-refused', 'dataset/query-failed', 'dataset/missing-column']).toContain(code);
    expect((await readDataSet(source(), contract)).rows).toBe(2);
  });

  it('is quoted in no error', async () => {
    const { code, message } = await refusal(source(`SELECT ('63 years' || id)::int AS age, ${REST} FROM patients`));
    expect({ code, message }).toEqual({
      code: 'dataset/query-failed',
      message: 'the query of data set heart: a value cannot be converted to the type that the query asks for (22P02).',
    });
  });

  it('is told apart by what keeps it from being read', async () => {
    const wrong = join(temporaryFolder(), 'password');
    writeFileSync(wrong, 'wrong\n', { mode: 0o600 });
    const other = join(temporaryFolder(), 'other.pem');
    writeFileSync(other, (await (await OddAuthority.create()).issue([])).authorityPem);
    const reader = join(temporaryFolder(), 'password');
    writeFileSync(reader, 'read', { mode: 0o600 });
    const at = (user: string, database = 'postgres') => server.url(database).replace('veilsum@', `${user}@`);
    const cases: [object, string, RegExp][] = [
      [{ passwordFile: wrong }, 'dataset/database-refused', /user or password/],
      [{ passwordFile: undefined }, 'dataset/database-refused', /asks for a password/],
      [{ url: at('veilsum', 'nowhere') }, 'dataset/database-refused', /no such database/],
      [{ tls: { ca: other } }, 'dataset/database-refused', /no TLS connection that can be trusted/],
      [{ tls: 'off' }, 'dataset/database-refused', /28000/],
      [{ url: 'postgres://veilsum@localhost:1/postgres' }, 'dataset/database-unreachable', /ECONNREFUSED/],
    ];
    for (const [changes, code, words] of cases) {
      const error = await refusal(source(ALL, changes));
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(words)]);
    }
    const denied = source('SELECT * FROM secrets', { url: at('reader'), passwordFile: reader });
    expect((await refusal(denied)).message).toMatch(/may not read/);
  });

  it('wants its password in a file that nobody else can read', async () => {
    const open = join(temporaryFolder(), 'password');
    writeFileSync(open, server.password, { mode: 0o644 });
    await expect(readDataSet(source(ALL, { passwordFile: open }), contract)).rejects.toMatchObject({
      code: 'system/secret-exposed',
    });
  });

  it('that ends in the middle is one that cannot be reached', async () => {
    const query = `SELECT pg_terminate_backend(pg_backend_pid())::int AS age, ${REST} FROM patients`;
    expect((await refusal(source(query))).code).toBe('dataset/database-unreachable');
  });
});
