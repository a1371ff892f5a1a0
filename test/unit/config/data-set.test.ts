// Data sets of an agent's configuration: each kind as docs/data.md writes it, and every mixture that is none.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { readAgentConfig, readJobFile, printConfig } from '../../../src/config/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const sample = parse(readFileSync('docs/samples/agent.yaml', 'utf8')) as Record<string, unknown>;

async function read(dataSets: unknown) {
  const folder = temporaryFolder();
  const path = join(folder, 'agent.yaml');
  writeFileSync(path, stringify({ ...sample, policy: {}, dataSets }));
  return { folder, config: await readAgentConfig(path) };
}

/** The YAML blocks of a page, each one parsed. */
function blocks(page: string): unknown[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
    (match) => parse(match[1]!) as unknown,
  );
}

describe('the data sets of docs/data.md', () => {
  const all = blocks('docs/data.md').filter((one) => Object.hasOwn(one as object, 'dataSets'));

  it('are four', () => {
    expect(all).toHaveLength(4);
  });

  it.each(all.map((one) => (one as { dataSets: unknown }).dataSets))('are read: %o', async (dataSets) => {
    await expect(read(dataSets)).resolves.toBeDefined();
  });
});

describe('a data set', () => {
  const postgres = { url: 'postgres://reader@db.example:5432/clinic' };
  const query = 'SELECT 1 AS age';

  it('of a database has its paths next to the file, and is withheld from print', async () => {
    const { folder, config } = await read({ heart: { query, postgres: { ...postgres, passwordFile: 'secret' } } });
    expect(config.dataSets['heart']).toEqual({
      query,
      postgres: { ...postgres, passwordFile: resolve(folder, 'secret') },
    });
    expect(printConfig(config)).not.toMatch(/db\.example|secret/);
  });

  it.each<[string, object, string]>([
    ['neither query nor arrays', { directories: ['/srv'] }, 'expected a query, or arrays'],
    ['a query without a place', { query }, 'expected the directories'],
    ['files and a database', { query, directories: ['/srv'], postgres }, 'files are not read where postgres is asked'],
    ['arrays and a query', { query, arrays: [{ file: 'x.npy', as: 'x' }] }, 'either query or arrays'],
    ['arrays and directories', { directories: ['/'], arrays: [{ file: 'x.npy', as: 'x' }] }, 'go with a query'],
    ['a password in the URL', { query, postgres: { url: 'postgres://a:secret@b/c' } }, 'holds a password'],
    ['another URL', { query, postgres: { url: 'mysql://a@b/c' } }, 'expected postgres://'],
    ['a URL without a user', { query, postgres: { url: 'postgres://b/c' } }, 'expected a user and a database'],
    ['settings in the URL', { query, postgres: { url: 'postgres://a@b/c?sslmode=disable' } }, 'sslmode'],
    [
      'a socket without a folder',
      { query, postgres: { url: 'postgres://a@b/c?host=d' } },
      'expected the folder of a socket',
    ],
    [
      'two colours',
      { query, postgres, images: { column: 'f', folder: '.', as: 'p', width: 1, height: 1, colours: 2 } },
      'expected 1 (grey) or 3',
    ],
  ])('with %s is refused, without quoting a password', async (_, heart, words) => {
    const error: unknown = await read({ heart }).catch((cause: unknown) => cause);
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('a:secret');
  });
});

describe('a feature with a count', () => {
  it('stands for so many columns', async () => {
    const job = parse(readFileSync('docs/samples/job-statistics.yaml', 'utf8')) as { data: object };
    const path = join(temporaryFolder(), 'job.yaml');
    const features = [
      { column: 'pixel', count: 3, minimum: 0, maximum: 1 },
      { column: 'age', minimum: 0, maximum: 120 },
    ];
    writeFileSync(path, stringify({ ...job, statistics: undefined, data: { ...job.data, features } }));
    const { data } = await readJobFile(path);
    expect(data.features.map(({ column }) => column)).toEqual(['pixel0', 'pixel1', 'pixel2', 'age']);
  });
});
