// What training refuses: one test per refusal.

import { afterEach, describe, expect, it } from 'vitest';
import type { TrainingRequest } from '../../../src/trainer/index.js';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { logisticRegression } from '../../support/onnx-models.js';
import { held } from '../../support/held.js';

afterEach(closeEngines);

describe('refusals', () => {
  const cases: [string, string, (request: TrainingRequest) => TrainingRequest][] = [
    ['refuses a table without rows', 'trainer/bad-data', (r) => ({ ...r, table: { ...r.table, rows: 0 } })],
    [
      'refuses a table with another number of columns',
      'trainer/bad-data',
      (r) => ({ ...r, table: { ...r.table, columns: 3 } }),
    ],
    [
      'refuses features that do not fill the table',
      'trainer/bad-data',
      (r) => ({ ...r, table: { ...r.table, features: held(r.table.features).subarray(1) } }),
    ],
    [
      'refuses targets that do not fill the table',
      'trainer/bad-data',
      (r) => ({ ...r, table: { ...r.table, targets: new Float32Array(1) } }),
    ],
    [
      'refuses weights that do not fill the table',
      'trainer/bad-data',
      (r) => ({ ...r, table: { ...r.table, weights: new Float32Array(1) } }),
    ],
    [
      'refuses a weight of zero',
      'trainer/bad-data',
      (r) => ({ ...r, table: { ...r.table, weights: new Float32Array(r.table.rows) } }),
    ],
    [
      'refuses a feature that is not a number',
      'trainer/not-finite',
      (r) => ({ ...r, table: { ...r.table, features: held(r.table.features).map(() => Number.NaN) } }),
    ],
    [
      'refuses a target that is not finite',
      'trainer/not-finite',
      (r) => ({ ...r, table: { ...r.table, targets: r.table.targets.map(() => Infinity) } }),
    ],
    ['refuses a batch size of zero', 'trainer/bad-recipe', (r) => ({ ...r, recipe: { ...r.recipe, batchSize: 0 } })],
    [
      'refuses half an epoch',
      'trainer/bad-recipe',
      (r) => ({ ...r, recipe: { ...r.recipe, duration: { kind: 'epochs', epochs: 0.25 } } }),
    ],
    [
      'refuses a learning rate of zero',
      'trainer/bad-recipe',
      (r) => ({ ...r, recipe: { ...r.recipe, learningRate: 0 } }),
    ],
    [
      'refuses a momentum of one',
      'model/bad-optimiser',
      (r) => ({ ...r, recipe: { ...r.recipe, optimiser: { kind: 'sgd', momentum: 1 } } }),
    ],
    ['refuses a short seed', 'trainer/bad-recipe', (r) => ({ ...r, seed: new Uint8Array(31) })],
    [
      'refuses parameters of another length',
      'model/bad-parameters',
      (r) => ({ ...r, parameters: new Float32Array(2) }),
    ],
    [
      'refuses parameters that are not finite',
      'model/bad-parameters',
      (r) => ({ ...r, parameters: r.parameters.map(() => Number.NaN) }),
    ],
  ];
  for (const [sentence, code, spoil] of cases)
    it(sentence, async () => {
      const engine = await engineOf(logisticRegression(2));
      await expect(engine.train(spoil(requestFor(engine, separable(12))), QUIET)).rejects.toMatchObject({ code });
    });

  it('refuses a class label that the model does not have', async () => {
    const engine = await engineOf(logisticRegression(2, 3), 'softmax-cross-entropy');
    const table = { ...separable(4), targets: Float32Array.of(0, 1, 2, 3) };
    await expect(engine.train(requestFor(engine, table), QUIET)).rejects.toMatchObject({
      code: 'trainer/bad-data',
      message: '1 labels are not whole numbers from 0 to 2',
    });
  });

  it('refuses softmax cross-entropy on a single logit', async () => {
    const engine = await engineOf(logisticRegression(2), 'softmax-cross-entropy');
    await expect(engine.train(requestFor(engine, separable(4)), QUIET)).rejects.toMatchObject({
      code: 'model/bad-shape',
    });
  });

  it('refuses to go on when training diverges, naming the step', async () => {
    const engine = await engineOf(logisticRegression(1), 'squared-error');
    const table = { rows: 4, columns: 1, features: Float32Array.of(1, 2, 3, 4), targets: Float32Array.of(1, 2, 3, 4) };
    await expect(engine.train(requestFor(engine, table, { learningRate: 1e6 }), QUIET)).rejects.toMatchObject({
      code: 'trainer/diverged',
      message: expect.stringMatching(/not finite at step \d+$/) as string,
    });
  });

  it('refuses parameters that overflow in the very last step', async () => {
    const engine = await engineOf(logisticRegression(1), 'squared-error');
    const table = { rows: 1, columns: 1, features: Float32Array.of(1), targets: Float32Array.of(1) };
    const recipe = { duration: { kind: 'steps', steps: 1 } as const, learningRate: 1e39 };
    await expect(engine.train(requestFor(engine, table, recipe), QUIET)).rejects.toMatchObject({
      code: 'trainer/diverged',
      message: expect.stringContaining('after step 1') as string,
    });
  });

  it('quotes no value of a record when it refuses one', async () => {
    const engine = await engineOf(logisticRegression(2));
    const table = separable(12);
    table.features[5] = -Infinity;
    table.features[6] = 424_242;
    const error: unknown = await engine.train(requestFor(engine, table), QUIET).catch((caught: unknown) => caught);
    expect(String(error)).toContain('1 feature values');
    expect(String(error)).not.toContain('424242');
  });

  it('stops before the next step when it is told to', async () => {
    const engine = await engineOf(logisticRegression(2));
    let asked = 0;
    const hooks = { ...QUIET, aborted: () => ++asked > 3 };
    await expect(engine.train(requestFor(engine, separable(40)), hooks)).rejects.toMatchObject({
      code: 'trainer/aborted',
      message: expect.stringContaining('before step 4') as string,
    });
  });
});
