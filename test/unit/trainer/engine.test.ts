// Training and evaluation in the test's own thread, from the sources.

import { afterEach, describe, expect, it } from 'vitest';
import { initialParameters, withStandardisation } from '../../../src/model/index.js';
import type { Progress } from '../../../src/trainer/index.js';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { logisticRegression, multiLayerPerceptron, seededFloats, smallConvolution } from '../../support/onnx-models.js';

afterEach(closeEngines);

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

  it('learns from raw features with a baked standardisation what it learns from standardised ones', async () => {
    const plain = multiLayerPerceptron([2, 8, 1], 11);
    const statistics = { mean: Float64Array.of(64, -1024), std: Float64Array.of(8, 0.25) };
    const baked = await engineOf(withStandardisation(plain, statistics));
    const engine = await engineOf(plain);
    const table = separable(50);
    // Powers of two, so that scaling is exact and only the shift rounds.
    const features = table.features.map((value, i) => value * statistics.std[i % 2]! + statistics.mean[i % 2]!);
    const a = await engine.train(requestFor(engine, table), QUIET);
    const b = await baked.train(requestFor(baked, { ...table, features }), QUIET);
    for (const [i, value] of a.parameters.entries()) expect(b.parameters[i]).toBeCloseTo(value, 2);
    expect(a.meanLoss).toBeCloseTo(b.meanLoss, 4);
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
