// Recipe, contract and update rule: bytes to checked types and back, and every refusal.

import { describe, expect, it } from 'vitest';
import {
  encodeContract,
  encodeRecipe,
  encodeUpdateRule,
  JobError,
  parseContract,
  parseRecipe,
  parseUpdateRule,
  type Contract,
  type Recipe,
} from '../../../src/job/index.js';
import { concat } from '../../../src/base/index.js';
import { DataContract, encode, Loss, TrainingRecipe, UpdateRule } from '../../../src/wire/index.js';
import { contract, recipe } from '../../support/jobs.js';

function refusal(action: () => unknown): JobError {
  try {
    action();
  } catch (error) {
    if (error instanceof JobError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const pathsOf = (action: () => unknown): string[] => refusal(action).problems.map(({ path }) => path);

describe('a training recipe', () => {
  it('comes back as it was written', () => {
    expect(parseRecipe(encodeRecipe(recipe))).toEqual(recipe);
    const adam: Recipe = {
      ...recipe,
      loss: { kind: 'squared-error' },
      optimiser: { kind: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      localWork: { kind: 'steps', steps: 100 },
    };
    expect(parseRecipe(encodeRecipe(adam))).toEqual(adam);
  });

  it('reports every bad field with its path, not only the first', () => {
    const empty = encode(TrainingRecipe, TrainingRecipe.decode(new Uint8Array()));
    expect(pathsOf(() => parseRecipe(empty))).toEqual([
      'loss',
      'optimiser',
      'epochs',
      'batch_size',
      'histogram_bins',
      'weight_rows',
    ]);
  });

  it('refuses a loss that this version does not know', () => {
    const message = TrainingRecipe.decode(encodeRecipe(recipe));
    message.loss = Loss.UNRECOGNIZED;
    expect(pathsOf(() => parseRecipe(encode(TrainingRecipe, message)))).toEqual(['loss']);
  });

  it.each<[string, Partial<Recipe>, string]>([
    [
      'a learning rate of 0',
      { optimiser: { kind: 'sgd', learningRate: 0, momentum: 0 } },
      'optimiser.sgd.learning_rate',
    ],
    [
      'a learning rate that is not a number',
      { optimiser: { kind: 'sgd', learningRate: NaN, momentum: 0 } },
      'optimiser.sgd.learning_rate',
    ],
    ['a momentum of 1', { optimiser: { kind: 'sgd', learningRate: 1, momentum: 1 } }, 'optimiser.sgd.momentum'],
    [
      'a beta2 above 1',
      { optimiser: { kind: 'adam', learningRate: 1, beta1: 0, beta2: 2, epsilon: 1 } },
      'optimiser.adam.beta2',
    ],
    [
      'an epsilon of 0',
      { optimiser: { kind: 'adam', learningRate: 1, beta1: 0, beta2: 0, epsilon: 0 } },
      'optimiser.adam.epsilon',
    ],
    ['no steps', { localWork: { kind: 'steps', steps: 0 } }, 'steps'],
    ['too many epochs', { localWork: { kind: 'epochs', epochs: 1_001 } }, 'epochs'],
    ['a batch of 0 records', { batchSize: 0 }, 'batch_size'],
    ['a hold-out part that leaves nothing to train on', { holdoutFraction: 0.95 }, 'holdout_fraction'],
    ['a histogram of one bin', { histogramBins: 1 }, 'histogram_bins'],
    ['a weight of no records', { weightRows: 0 }, 'weight_rows'],
    ['two slices by one column', { slices: ['sex', 'sex'] }, 'slices'],
    ['more slices than there is room for', { slices: Array.from({ length: 9 }, (_, i) => `c${String(i)}`) }, 'slices'],
    ['slices of nothing', { slices: ['sex'], holdoutFraction: 0 }, 'slices'],
    ['too many bins for times and scores', { loss: { kind: 'cox' }, histogramBins: 129 }, 'histogram_bins'],
  ])('refuses %s', (_what, change, path) => {
    expect(pathsOf(() => encodeRecipe({ ...recipe, ...change }))).toEqual([path]);
  });

  it('refuses bytes that are not a recipe, and ones that say more than this version reads', () => {
    expect(refusal(() => parseRecipe(Uint8Array.of(0xff, 0xff))).code).toBe('job/bad-recipe');
    // Field 99, varint 1.
    const more = concat(encodeRecipe(recipe), Uint8Array.of(0x98, 0x06, 0x01));
    expect(refusal(() => parseRecipe(more)).message).toMatch(/nothing may be approved unread/);
  });
});

describe('a data contract', () => {
  const withFeature = (change: object): Contract => ({
    ...contract,
    features: [{ column: 'age', minimum: 0, maximum: 120, unit: '', ...change }],
  });

  it('comes back as it was written, with each kind of target', () => {
    const targets: Contract['target'][] = [
      undefined,
      { kind: 'binary', column: 'sick' },
      { kind: 'classes', column: 'stage', classes: 4 },
      { kind: 'real', column: 'days', minimum: 0, maximum: 365 },
    ];
    for (const target of targets)
      expect(parseContract(encodeContract({ ...contract, target }))).toEqual({ ...contract, target });
  });

  it('reports every bad field with its path', () => {
    const empty = encode(DataContract, DataContract.decode(new Uint8Array()));
    expect(pathsOf(() => parseContract(empty))).toEqual(['missing', 'data_set', 'features', 'max_rows', 'min_rows']);
  });

  it.each<[string, Contract, string]>([
    ['a data set name with a slash', { ...contract, dataSet: '../heart' }, 'data_set'],
    ['no features', { ...contract, features: [] }, 'features'],
    ['an empty column name', withFeature({ column: '' }), 'features[0].column'],
    ['a column name with a line break', withFeature({ column: 'age\nharmless' }), 'features[0].column'],
    ['a unit that turns the direction of text', withFeature({ unit: '\u202e' }), 'features[0].unit'],
    ['a range without a width', withFeature({ minimum: 120 }), 'features[0]'],
    ['a range beyond 32-bit floating point', withFeature({ maximum: 1e300 }), 'features[0]'],
    ['a column named twice', { ...contract, target: { kind: 'binary', column: 'chol' } }, 'target.column'],
    ['a target of one class', { ...contract, target: { kind: 'classes', column: 'x', classes: 1 } }, 'target.classes'],
    ['min_rows above max_rows', { ...contract, minRows: 10_001 }, 'min_rows'],
    ['more rows than bounds allow for', { ...contract, maxRows: 1e9 }, 'max_rows'],
  ])('refuses %s', (_what, bad, path) => {
    expect(pathsOf(() => encodeContract(bad))).toEqual([path]);
  });

  it('refuses a minimum that is not a number', () => {
    expect(pathsOf(() => encodeContract(withFeature({ minimum: NaN })))).toContain('features[0].minimum');
  });

  it('refuses a target of no kind', () => {
    const message = DataContract.decode(encodeContract(contract));
    message.target = { column: 'sick', kind: undefined };
    expect(pathsOf(() => parseContract(encode(DataContract, message)))).toEqual(['target']);
  });
});

describe('an update rule', () => {
  it('comes back as it was written', () => {
    const rule = { kind: 'fed-avg', learningRate: 0.5 } as const;
    expect(parseUpdateRule(encodeUpdateRule(rule))).toEqual(rule);
  });

  it('refuses a rule of no kind and a learning rate of 0', () => {
    expect(pathsOf(() => parseUpdateRule(encode(UpdateRule, { kind: undefined })))).toEqual(['kind']);
    expect(pathsOf(() => encodeUpdateRule({ kind: 'fed-avg', learningRate: 0 }))).toEqual([
      'fed_avg.server_learning_rate',
    ]);
  });
});
