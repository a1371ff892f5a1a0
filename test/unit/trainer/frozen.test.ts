// Training a part of a model: the vector is shorter, the rest keeps the values of the file, and the published file carries both.

import { afterEach, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import { firstModel } from '../../../src/job/index.js';
import {
  defaultLoss,
  initialParameters,
  parametersIn,
  readForwardModel,
  withParameters,
} from '../../../src/model/index.js';
import { Engine } from '../../../src/trainer/engine.js';
import { QUIET, requestFor, separable } from '../../support/engine.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';
import { fixtureModel } from '../../support/parity.js';

const BYTES = multiLayerPerceptron([2, 8, 1], 11);
const HEAD = ['layer2.*'];
const open: Engine[] = [];

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
});

it('trains the chosen parameters alone and publishes them with the others', async () => {
  const engine = await Engine.open(BYTES, defaultLoss('binary-cross-entropy'), HEAD);
  open.push(engine);
  expect(engine.model.parameters.map(({ name, offset }) => [name, offset])).toEqual([
    ['layer2.weight', 0],
    ['layer2.bias', 8],
  ]);
  expect(engine.model.frozen).toEqual(['layer1.weight', 'layer1.bias']);
  const table = separable(40);
  const { parameters } = await engine.train(requestFor(engine, table), QUIET);
  const { correct } = await engine.evaluate({ parameters, table, batchSize: 8, bins: 4 }, () => false);
  expect(correct).toBe(40);
  const whole = readForwardModel(BYTES);
  const published = parametersIn(whole, withParameters(engine.model, parameters));
  expect(published.subarray(0, 24)).toEqual(initialParameters(whole).subarray(0, 24));
  expect(published.subarray(24)).toEqual(parameters);
});

it('gives a job a state of the chosen parameters, and refuses patterns without end', () => {
  expect(firstModel(BYTES, undefined, sha256, { train: HEAD }).model.parameterCount).toBe(9);
  expect(firstModel(BYTES, undefined, sha256, {}).model.parameterCount).toBe(33);
  const many = Array.from({ length: 101 }, () => '*');
  expect(() => firstModel(BYTES, undefined, sha256, { train: many })).toThrow(
    expect.objectContaining({ code: 'job/bad-manifest' }),
  );
});

it('lets a batch normalisation that is left out keep the statistics of the file', async () => {
  const engine = await Engine.open(fixtureModel('ecg'), defaultLoss('softmax-cross-entropy'), ['n.12.*']);
  open.push(engine);
  expect(engine.model.parameters.every(({ statistic }) => statistic === undefined)).toBe(true);
  expect(engine.model.frozen).toContain('n.1.running_mean');
  await engine.prepare(4);
});
