// What a query may not do: write, load, look elsewhere, or be more than one SELECT.

import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataSet } from '../../../src/dataset/index.js';
import { contract as heart } from '../../support/jobs.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const contract = { ...heart, minRows: 1 };

function folders(): { allowed: string; file: string; outside: string; secret: string } {
  const [allowed, outside] = [temporaryFolder(), temporaryFolder()];
  const [file, secret] = [join(allowed, 'data.csv'), join(outside, 'secret.csv')];
  for (const path of [file, secret]) writeFileSync(path, 'age,chol,sick\n63,233,1\n');
  return { allowed, file, outside, secret };
}

const code = async (query: string, directories: string[]): Promise<string> => {
  try {
    await readDataSet({ name: 'heart', query, directories }, contract);
    return 'read';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};

describe('a query', () => {
  it('reads files in the allowed directories and below', async () => {
    const { allowed, file } = folders();
    expect(await code(`SELECT * FROM '${file}'`, [allowed])).toBe('read');
    expect(await code(`SELECT * FROM '${file}';`, [allowed])).toBe('read');
  });

  it.each<[string, (file: string, folder: string) => string, string]>([
    ['two statements', (file) => `SELECT * FROM '${file}'; SELECT 1`, 'dataset/query-refused'],
    ['no statement', () => '-- nothing', 'dataset/query-refused'],
    ['COPY TO', (file, folder) => `COPY (SELECT * FROM '${file}') TO '${folder}/stolen.csv'`, 'dataset/query-refused'],
    [
      'a SELECT followed by COPY TO',
      (file, folder) => `FROM '${file}'; COPY (SELECT 1) TO '${folder}/stolen.csv'`,
      'dataset/query-refused',
    ],
    ['ATTACH', (_, folder) => `ATTACH '${folder}/stolen.csv' AS x`, 'dataset/query-refused'],
    ['EXPORT DATABASE', (_, folder) => `EXPORT DATABASE '${folder}/stolen.csv'`, 'dataset/query-refused'],
    ['CREATE TABLE', (file) => `CREATE TABLE t AS SELECT * FROM '${file}'`, 'dataset/query-refused'],
    ['SET', () => 'SET threads = 2', 'dataset/query-refused'],
    ['a parameter', () => 'SELECT $1', 'dataset/query-refused'],
    ['EXPLAIN ANALYZE', (file) => `EXPLAIN ANALYZE SELECT * FROM '${file}'`, 'dataset/query-refused'],
    ['text that is not SQL', () => 'SELEC * FRM x', 'dataset/query-failed'],
    ['a table that is not there', () => 'SELECT * FROM nowhere', 'dataset/query-failed'],
  ])('is refused when it is %s', async (_what, query, expected) => {
    const { allowed, file } = folders();
    expect(await code(query(file, allowed), [allowed])).toBe(expected);
    expect(existsSync(join(allowed, 'stolen.csv'))).toBe(false);
  });

  it.each(['PRAGMA database_list', 'INSTALL httpfs', 'LOAD httpfs', 'CALL pragma_version()', 'CHECKPOINT', 'VACUUM'])(
    'is refused when it is %s',
    async (query) => {
      expect(await code(query, [temporaryFolder()])).toBe('dataset/query-refused');
    },
  );

  it('is stopped when it reads outside the directory, also by way of ..', async () => {
    const { allowed, outside, secret } = folders();
    expect(await code(`SELECT * FROM '${secret}'`, [outside])).toBe('read');
    expect(await code(`SELECT * FROM '${secret}'`, [allowed])).toBe('dataset/outside');
    const dodge = join(allowed, 'x').replace(/x$/, `../${outside.split('/').at(-1) ?? ''}/secret.csv`);
    expect(await code(`SELECT * FROM '${dodge}'`, [allowed])).toBe('dataset/outside');
    expect(await code(`SELECT content FROM read_text('/etc/passwd')`, [allowed])).toBe('dataset/outside');
    expect(await code(`SELECT * FROM glob('${outside}/*')`, [allowed])).not.toBe('read');
  });

  it('is stopped in a directory that only begins like an allowed one', async () => {
    const { allowed } = folders();
    const sibling = `${allowed}-private.csv`;
    writeFileSync(sibling, 'age,chol,sick\n63,233,1\n');
    expect(await code(`SELECT * FROM '${sibling}'`, [allowed])).toBe('dataset/outside');
  });

  it('is stopped at a symbolic link that leads outside', async () => {
    const { allowed, secret } = folders();
    symlinkSync(secret, join(allowed, 'link.csv'));
    expect(await code(`SELECT * FROM '${join(allowed, 'link.csv')}'`, [allowed])).toBe('dataset/outside');
  });

  it('reads a directory that is itself named by a symbolic link', async () => {
    const { allowed } = folders();
    const alias = join(temporaryFolder(), 'alias');
    symlinkSync(allowed, alias);
    expect(await code(`SELECT * FROM '${alias}/data.csv'`, [alias])).toBe('read');
    expect(await code(`SELECT * FROM '${allowed}/data.csv'`, [alias])).toBe('read');
  });

  it('is stopped when it reads from the network', async () => {
    expect(await code(`SELECT * FROM 'https://localhost:1/x.csv'`, [temporaryFolder()])).not.toBe('read');
  });

  it('reads nothing when no directory is allowed', async () => {
    const { file } = folders();
    expect(await code(`SELECT * FROM '${file}'`, [])).toBe('dataset/outside');
  });
});
