// Categories and rules for what is missing: from a job file through bytes and back, and every refusal.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJobFile } from '../../../src/config/index.js';
import {
  contractOf,
  encodeContract,
  parseContract,
  type Contract,
  type FeatureColumn,
} from '../../../src/job/index.js';
import { DataContract, decode, encode } from '../../../src/wire/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function fromYaml(...features: string[]): Promise<Contract> {
  const path = join(temporaryFolder(), 'job.yaml');
  writeFileSync(
    path,
    [
      'job: sums',
      'kind: statistics',
      'description: sums',
      'silos: [a, b, c]',
      'data:',
      '  dataSet: heart',
      '  features:',
      ...features.map((one) => `    - ${one}`),
      '  minRows: 1',
      '  maxRows: 10',
    ].join('\n'),
  );
  return contractOf(await readJobFile(path));
}

it('a job file names categories and what stands for a missing value', async () => {
  const contract = await fromYaml(
    '{ column: sex, categories: [f, m, unknown], missing: fill, fill: unknown }',
    '{ column: stage, categories: [1, 2, 4], missing: drop-row }',
    '{ column: chol, minimum: 0, maximum: 700, missing: fill, fill: 200 }',
  );
  expect(contract.features).toEqual([
    { column: 'sex', minimum: 0, maximum: 2, unit: '', categories: ['f', 'm', 'unknown'], missing: { fill: 2 } },
    { column: 'stage', minimum: 0, maximum: 2, unit: '', categories: ['1', '2', '4'], missing: 'drop-row' },
    { column: 'chol', minimum: 0, maximum: 700, unit: '', missing: { fill: 200 } },
  ]);
  expect(parseContract(encodeContract(contract))).toEqual(contract);
});

it.each([
  ['{ column: sex, categories: [f, m], missing: fill, fill: x }', 'one of the categories'],
  ['{ column: sex, categories: [f] }', '2 to 256 categories'],
  ['{ column: sex, categories: [f, f] }', 'each once'],
  ['{ column: sex, categories: [f, m], minimum: 0 }', 'either categories or minimum'],
  ['{ column: chol, minimum: 0, maximum: 7, missing: fill, fill: 8 }', 'within the declared range'],
  ['{ column: chol, minimum: 0, maximum: 7, missing: fill }', 'a value to fill in'],
  ['{ column: chol, minimum: 0, maximum: 7, fill: 1 }', 'only with it'],
  ['{ column: chol }', 'or categories instead of a range'],
])('%s is refused', async (feature, why) => {
  await expect(fromYaml(feature)).rejects.toThrow(why);
});

it('bytes that set a fill which nothing uses are refused', () => {
  const feature: FeatureColumn = { column: 'chol', minimum: 0, maximum: 7, unit: '' };
  const contract: Contract = {
    dataSet: 'heart',
    features: [feature],
    target: undefined,
    missing: 'refuse',
    minRows: 1,
    maxRows: 10,
  };
  const message = decode(DataContract, 'contract', encodeContract(contract));
  const changed = { ...message, features: message.features.map((one) => ({ ...one, fill: 3 })) };
  expect(() => parseContract(encode(DataContract, changed))).toThrow('does not use');
});
