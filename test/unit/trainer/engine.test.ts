// Training and evaluation in the test's own thread, from the sources.

import { afterEach, describe, expect, it } from 'vitest';
import type { LossKind } from '../../../src/model/index.js';
import { initialParameters } from '../../../src/model/index.js';
import { Engine } from '../../../src/trainer/engine.js';
import type { Progress, Table, TrainingRecipe, TrainingRequest } from '../../../src/trainer/index.js';
import {
  logisticRegression,
  multiLayerPerceptron,
  seededFloats,
  seededNumbers,
  smallConvolution,
} from '../../support/onnx-models.js';

const SEED = new Uint8Array(32).fill(7);
const QUIET = { aborted: () => false, progress: () => undefined };

const RECIPE: TrainingRecipe = {
  batchSize: 8,
  duration: { kind: 'epochs', epochs: 30 },
  optimiser: { kind: 'sgd', momentum: 0.9 },
  learningRate: 0.1,
};

/** Two clouds on either side of a line through the origin. */
function separable(rows: number, seed = 3): Table {
  const next = seededNumbers(seed);
  const features = new Float32Array(rows * 2);
  const targets = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = row % 2;
    targets[row] = label;
    features[2 * row] = (label === 1 ? 1.5 : -1.5) + 0.8 * next();
    features[2 * row + 1] = (label === 1 ? 1 : -1) + 0.8 * next();
  }
  return { rows, columns: 2, features, targets };
}

const open: Engine[] = [];
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
});

async function engineOf(model: Uint8Array, loss: LossKind = 'binary-cross-entropy'): Promise<Engine> {
  const engine = await Engine.open(model, loss);
  open.push(engine);
  return engine;
}

function requestFor(engine: Engine, table: Table, recipe: Partial<TrainingRecipe> = {}): TrainingRequest {
  return { parameters: initialParameters(engine.model), table, recipe: { ...RECIPE, ...recipe }, seed: SEED };
}

describe('training', () => {
  for (const optimiser of [
    { kind: 'sgd', momentum: 0.9 } as const,
    { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const,
  ])
    it(`separates two clouds with ${optimiser.kind}`, async () => {
      const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
      const table = separable(50);
      const before = await engine.evaluate(
        { parameters: initialParameters(engine.model), table, batchSize: 16, bins: 10 },
        () => false,
      );
      const { parameters, steps, meanLoss } = await engine.train(
        requestFor(engine, table, { optimiser, learningRate: 0.05 }),
        QUIET,
      );
      const after = await engine.evaluate({ parameters, table, batchSize: 16, bins: 10 }, () => false);
      expect(steps).toBe(30 * 7);
      expect(after.correct).toBe(50);
      expect(after.lossSum).toBeLessThan(before.lossSum / 5);
      expect(meanLoss).toBeLessThan(before.lossSum / 50);
    });

  it('learns three classes with softmax cross-entropy', async () => {
    const engine = await engineOf(logisticRegression(2, 3), 'softmax-cross-entropy');
    const rows = 60;
    const noise = seededFloats(rows * 2, 9, 0.5);
    const corners = [
      [2, 0],
      [-2, 2],
      [-2, -2],
    ];
    const targets = Float32Array.from({ length: rows }, (_, row) => row % 3);
    const features = noise.map((value, i) => value + corners[Math.floor(i / 2) % 3]![i % 2]!);
    const table = { rows, columns: 2, features, targets };
    const { parameters } = await engine.train(requestFor(engine, table), QUIET);
    const result = await engine.evaluate({ parameters, table, batchSize: 7, bins: 10 }, () => false);
    expect(result.correct).toBe(rows);
    expect(result.positives).toHaveLength(0);
  });

  it('finds the line that squared error fits', async () => {
    const engine = await engineOf(logisticRegression(1), 'squared-error');
    const features = Float32Array.from({ length: 20 }, (_, i) => i / 10 - 1);
    const table = { rows: 20, columns: 1, features, targets: features.map((x) => 3 * x - 0.5) };
    const { parameters } = await engine.train(
      requestFor(engine, table, { duration: { kind: 'epochs', epochs: 200 } }),
      QUIET,
    );
    expect(parameters[0]).toBeCloseTo(3, 3);
    expect(parameters[1]).toBeCloseTo(-0.5, 3);
  });

  it('teaches a small convolutional network to tell stripes from columns', async () => {
    const engine = await engineOf(smallConvolution(3));
    const rows = 40;
    const noise = seededFloats(rows * 64, 12, 0.5);
    // Stripes vary down the image, columns across it; each row has its own phase.
    const features = noise.map((value, i) => {
      const [row, pixel] = [Math.floor(i / 64), i % 64];
      const along = row % 2 === 1 ? Math.floor(pixel / 8) : pixel % 8;
      return value + ((along + row) % 4 < 2 ? 1 : -1);
    });
    const table = { rows, columns: 64, features, targets: Float32Array.from({ length: rows }, (_, row) => row % 2) };
    const { parameters } = await engine.train(requestFor(engine, table, { learningRate: 0.05 }), QUIET);
    const { correct } = await engine.evaluate({ parameters, table, batchSize: 40, bins: 10 }, () => false);
    expect(correct).toBe(rows);
  });

  it('gives the same bits when it is repeated, in the same and in a new engine', async () => {
    const table = separable(50);
    const first = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const second = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const a = await first.train(requestFor(first, table), QUIET);
    const b = await first.train(requestFor(first, table), QUIET);
    const c = await second.train(requestFor(second, table), QUIET);
    expect(b).toEqual(a);
    expect(c).toEqual(a);
  });

  it('visits rows in another order under another seed', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const request = requestFor(engine, separable(50));
    const a = await engine.train(request, QUIET);
    const b = await engine.train({ ...request, seed: new Uint8Array(32).fill(8) }, QUIET);
    expect(b.parameters).not.toEqual(a.parameters);
  });

  it('leaves the parameters of the request as they were', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const request = requestFor(engine, separable(10));
    await engine.train(request, QUIET);
    expect(request.parameters).toEqual(initialParameters(engine.model));
  });

  it('takes a ragged batch as if it were exact', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const table = separable(5);
    const duration = { kind: 'steps', steps: 1 } as const;
    const exact = await engine.train(requestFor(engine, table, { batchSize: 5, duration }), QUIET);
    const ragged = await engine.train(requestFor(engine, table, { batchSize: 8, duration }), QUIET);
    expect(ragged.meanLoss).toBeCloseTo(exact.meanLoss, 6);
    for (const [i, value] of exact.parameters.entries()) expect(ragged.parameters[i]).toBeCloseTo(value, 6);
  });

  it('counts a row of weight two as often as the row twice', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 4, 1], 11));
    const { features, targets } = separable(3);
    const weighted = { rows: 3, columns: 2, features, targets, weights: Float32Array.of(1, 2, 1) };
    const repeated = {
      rows: 4,
      columns: 2,
      features: Float32Array.of(...features, features[2]!, features[3]!),
      targets: Float32Array.of(...targets, targets[1]!),
    };
    const recipe = { batchSize: 4, duration: { kind: 'steps', steps: 1 } as const };
    const a = await engine.train(requestFor(engine, weighted, recipe), QUIET);
    const b = await engine.train(requestFor(engine, repeated, recipe), QUIET);
    for (const [i, value] of a.parameters.entries()) expect(b.parameters[i]).toBeCloseTo(value, 6);
  });

  it('takes the number of steps asked for, over as many epochs as that needs', async () => {
    const engine = await engineOf(logisticRegression(2));
    const reports: Progress[] = [];
    const request = requestFor(engine, separable(10), { duration: { kind: 'steps', steps: 7 } });
    const result = await engine.train(request, { ...QUIET, progress: (report) => reports.push(report) });
    expect(result.steps).toBe(7);
    expect(reports.map((report) => report.step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(reports.at(-1)?.meanLoss).toBe(result.meanLoss);
  });
});

describe('evaluation', () => {
  it('counts scores into histograms of the two labels', async () => {
    const engine = await engineOf(logisticRegression(1));
    // Weight 1, bias 0: the score is the sigmoid of the feature.
    const table = {
      rows: 4,
      columns: 1,
      features: Float32Array.of(-9, -0.1, 0.1, 9),
      targets: Float32Array.of(0, 1, 0, 1),
    };
    const result = await engine.evaluate(
      { parameters: Float32Array.of(1, 0), table, batchSize: 3, bins: 4 },
      () => false,
    );
    expect([...result.negatives]).toEqual([1, 0, 1, 0]);
    expect([...result.positives]).toEqual([0, 1, 0, 1]);
    expect(result.correct).toBe(2);
    expect(result.count).toBe(4);
    const expected = [-9, 0.1]
      .map((z) => Math.log1p(Math.exp(z)))
      .concat([-0.1, 9].map((z) => Math.log1p(Math.exp(-z))));
    expect(result.lossSum).toBeCloseTo(
      expected.reduce((a, b) => a + b),
      5,
    );
  });

  it('does not depend on the batch size', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const parameters = initialParameters(engine.model);
    const table = separable(23);
    const a = await engine.evaluate({ parameters, table, batchSize: 23, bins: 8 }, () => false);
    const b = await engine.evaluate({ parameters, table, batchSize: 5, bins: 8 }, () => false);
    expect(b.positives).toEqual(a.positives);
    expect(b.negatives).toEqual(a.negatives);
    expect(b.lossSum).toBeCloseTo(a.lossSum, 5);
  });
});

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
      (r) => ({ ...r, table: { ...r.table, features: r.table.features.subarray(1) } }),
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
      (r) => ({ ...r, table: { ...r.table, features: r.table.features.map(() => Number.NaN) } }),
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
