// Every refusal of a file that people write, with the path it names.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  printConfig,
  readAgentConfig,
  readClientConfig,
  readCoordinatorConfig,
  readJobFile,
  readRosterFile,
} from '../../../src/config/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

type Fields = Record<string, unknown>;

const sample = (name: string): Fields => parse(readFileSync(`docs/samples/${name}.yaml`, 'utf8')) as Fields;

/** The sample with the field at `path` set, or removed where `value` is undefined. */
function changed(name: string, path: string, value: unknown): string {
  const root = sample(name);
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce<Fields>((at, key) => (at[key] ??= {}) as Fields, root);
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return stringify(root, { aliasDuplicateObjects: false });
}

const READERS = {
  agent: readAgentConfig,
  client: readClientConfig,
  coordinator: readCoordinatorConfig,
  roster: readRosterFile,
  'job-train': readJobFile,
  'job-statistics': readJobFile,
} as const;

async function refusal(name: keyof typeof READERS, text: string): Promise<ConfigError> {
  const path = join(temporaryFolder(), `${name}.yaml`);
  writeFileSync(path, text);
  try {
    await READERS[name](path);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a configuration is refused', () => {
  it.each<[string, keyof typeof READERS, string, unknown, RegExp]>([
    [
      'with an unknown key, naming the nearest',
      'agent',
      'policy.minCohrot',
      7,
      /^policy: unknown key "minCohrot"; did you mean minCohort\?$/,
    ],
    [
      'with a key like no other, naming those it knows',
      'client',
      'zzzzzz',
      1,
      /^: unknown key "zzzzzz"; known are consortium, coordinator, proxy, tls, keys, roster$/,
    ],
    ['with a secret written into it', 'agent', 'keys.signing', { key: 'x' }, /^keys\.signing: /],
    ['without a required field', 'agent', 'silo', undefined, /^silo: /],
    ['with a silo id that is no name', 'agent', 'silo', 'Hospital A', /^silo: expected lower-case/],
    [
      'with an address without a port',
      'agent',
      'coordinator.address',
      'example.org',
      /^coordinator\.address: expected host:port$/,
    ],
    [
      'with port 0 to dial',
      'client',
      'coordinator.address',
      'example.org:0',
      /^coordinator\.address: expected host:port$/,
    ],
    ['with a port beyond 65535', 'coordinator', 'listen', '0.0.0.0:70000', /^listen: expected host:port$/],
    ['with a short hash', 'agent', 'roster.hash', 'abcd', /^roster\.hash: expected 64 lower-case hexadecimal digits/],
    [
      'with a fraction of a silo',
      'agent',
      'policy.minCohort',
      5.5,
      /^policy\.minCohort: expected a whole number from 3 to 200$/,
    ],
    ['with an unknown log level', 'agent', 'log.level', 'loud', /^log\.level: /],
    [
      'with a small cohort that was not asked for',
      'agent',
      'policy.minCohort',
      4,
      /^policy\.minCohort: below 5 only together with policy\.allowSmallCohort: true$/,
    ],
    [
      'with few honest inputs that were not asked for',
      'agent',
      'policy.minHonest',
      2,
      /^policy\.minHonest: below 3 only together with policy\.allowSmallCohort/,
    ],
    [
      'with one honest input, even if asked for',
      'agent',
      'policy',
      { minHonest: 1, allowSmallCohort: true },
      /^policy\.minHonest: expected a whole number from 2/,
    ],
    [
      'with more honest inputs than silos',
      'agent',
      'policy.minHonest',
      6,
      /^policy\.minHonest: above policy\.minCohort/,
    ],
    [
      'with one file for two keys',
      'agent',
      'keys.storage',
      'secrets/hospital-a.signing.key',
      /^keys\.storage: the same file as keys\.signing$/,
    ],
    [
      'with a rule for a data set that it has not',
      'agent',
      'policy.statistics',
      [{ dataSet: 'x', columns: ['a'], minimumRows: 5 }],
      /^policy\.statistics\.0\.dataSet: "x" is not one of dataSets$/,
    ],
    ['with a data set without directories', 'agent', 'dataSets.wdbc.directories', [], /^dataSets\.wdbc\.directories: /],
    [
      'with a data set whose name is no name',
      'agent',
      'dataSets',
      { 'A b': { query: 'SELECT 1', directories: ['x'] } },
      /^dataSets\.A b: expected lower-case/,
    ],
    ['with a member twice', 'roster', 'members.1.silo', 'hospital-a', /^members\.1\.silo: named twice$/],
    [
      'with one key for two uses',
      'roster',
      'members.0.cosigningKey',
      'a1'.repeat(32),
      /^members\.0\.cosigningKey: the same key as signingKey$/,
    ],
    [
      'with a validity that ends before it begins',
      'roster',
      'members.0.validUntil',
      '2025-01-01',
      /^members\.0\.validUntil: not after validFrom$/,
    ],
    [
      'with a date that is none',
      'roster',
      'members.0.validFrom',
      '2026-13-01',
      /^members\.0\.validFrom: expected a date/,
    ],
    ['with two members', 'roster', 'members', [], /^members: /],
    ['with epochs and steps', 'job-train', 'training.steps', 5, /^training\.epochs: expected either epochs or steps$/],
    [
      'with neither epochs nor steps',
      'job-train',
      'training.epochs',
      undefined,
      /^training\.epochs: expected either epochs or steps$/,
    ],
    ['with a kind of job that there is not', 'job-train', 'kind', 'guess', /^kind: /],
    ['with training in a statistics job', 'job-statistics', 'training', {}, /^: unknown key "training"/],
    [
      'with a target in a statistics job that is not that of survival curves',
      'job-statistics',
      'data.target',
      { kind: 'binary', column: 'x' },
      /^data\.target\.kind: /,
    ],
    [
      'with a misspelt setting of the optimiser',
      'job-train',
      'training.optimiser',
      { kind: 'sgd', learningrate: 1 },
      /^training\.optimiser: unknown key "learningrate"; did you mean learningRate\?$/,
    ],
  ])('%s', async (_what, name, path, value, expected) => {
    const { code, problems } = await refusal(name, changed(name, path, value));
    expect(code).toBe('config/invalid');
    expect(problems.map((one) => `${one.path}: ${one.problem}`)).toContainEqual(expect.stringMatching(expected));
  });

  it('with every bad field at once, and all of them in the message', async () => {
    const text = stringify({ ...sample('coordinator'), listen: 'x', consortium: 'Y', extra: 1 });
    const { message, problems } = await refusal('coordinator', text);
    expect(problems).toHaveLength(3);
    for (const part of ['listen: expected host:port', 'consortium: expected lower-case', 'unknown key "extra"'])
      expect(message).toContain(part);
  });

  it('when it is not YAML, names a key twice or is too large, without quoting it', async () => {
    const broken = await refusal('agent', 'silo: "hospital\nkeys: {');
    expect(broken.code).toBe('config/not-yaml');
    expect(broken.message).toMatch(/line \d+, column \d+/);
    expect((await refusal('agent', 'silo: a\nsilo: b\n')).code).toBe('config/not-yaml');
    expect((await refusal('agent', '#'.repeat(1024 * 1024 + 1))).code).toBe('config/too-large');
  });

  it('when it is not there', async () => {
    await expect(readAgentConfig('/nowhere/agent.yaml')).rejects.toMatchObject({
      code: 'config/unreadable',
      message: '/nowhere/agent.yaml: ENOENT.',
    });
  });
});

describe('a small consortium', () => {
  it('may lower its floors when it says so', async () => {
    const path = join(temporaryFolder(), 'agent.yaml');
    writeFileSync(
      path,
      changed('agent', 'policy', { minCohort: 4, minHonest: 2, maxMalicious: 1, allowSmallCohort: true }),
    );
    expect((await readAgentConfig(path)).policy).toMatchObject({ minCohort: 4, minHonest: 2 });
  });

  it('has the usual floors without a policy, and information in the log without a log', async () => {
    const path = join(temporaryFolder(), 'agent.yaml');
    const { policy: _policy, log: _log, ...rest } = sample('agent');
    writeFileSync(path, stringify(rest));
    const agent = await readAgentConfig(path);
    expect(agent.policy).toMatchObject({ minCohort: 5, minHonest: 3, maxMalicious: 0, statistics: [] });
    expect(agent.log).toEqual({ level: 'info' });
  });
});

describe('a printed configuration', () => {
  it('shows defaults and paths, and withholds where keys lie and how records are queried', async () => {
    const printed = printConfig(await readAgentConfig('docs/samples/agent.yaml'));
    expect(printed).toContain('minCohort: 5');
    expect(printed).toContain('4a4a4a4a');
    expect(printed).toContain('/docs/samples/state/hospital-a');
    expect(printed).not.toMatch(/secrets|SELECT/);
    expect(printed).toMatch(/signing: \(withheld\)/);
    expect(printed).toMatch(/query: \(withheld\)/);
  });
});
