// What training has beside weights: running statistics of batch normalisation, and the masks of dropout.

import { afterEach, describe, expect, it } from 'vitest';
import {
  attributes,
  float32,
  GraphBuilder,
  initialParameters,
  parametersIn,
  readForwardModel,
  withParameters,
} from '../../../src/model/index.js';
import { MaskSource } from '../../../src/trainer/dropout.js';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { seededFloats } from '../../support/onnx-models.js';
import { runOnce, tensor } from '../../support/onnx-run.js';

afterEach(closeEngines);

const { int } = attributes;
const MEAN = 8;

/** Batch normalisation of two features, then dropout where asked, then one logit. */
function normalised({ dropout = 0, training = 1 } = {}): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', 2]);
  builder.initialiser('w', float32([1, 2], [0.5, -0.5]));
  for (const [name, value] of [
    ['scale', 1],
    ['bias', 0],
    ['mean', MEAN],
    ['variance', 4],
  ] as const)
    builder.initialiser(name, float32([2], [value, value]));
  const inputs = ['x', 'scale', 'bias', 'mean', 'variance'];
  const [normal = ''] = builder.emitMany('BatchNormalization', inputs, training === 1 ? 3 : 1, {
    training_mode: int(training),
  });
  const flag = builder.constant({ type: 'bool', shape: [], data: Uint8Array.of(1) });
  const [kept = ''] = builder.emitMany('Dropout', [normal, builder.scalar(dropout), flag], 2);
  builder.emitNamed('Gemm', [kept, 'w'], ['logits'], { transB: int(1) });
  builder.output('logits', 'float32', ['batch', 1]);
  return builder.bytes();
}

describe('running statistics', () => {
  it('are part of the vector where the file trains on the statistics of the batch, and nowhere else', () => {
    const names = (bytes: Uint8Array) =>
      readForwardModel(bytes).parameters.map(({ name, statistic }) => [name, statistic]);
    expect(names(normalised())).toEqual([
      ['w', undefined],
      ['scale', undefined],
      ['bias', undefined],
      ['mean', true],
      ['variance', true],
    ]);
    expect(names(normalised({ training: 0 })).map(([name]) => name)).toEqual(['w', 'scale', 'bias']);
  });

  it('approach those of the records, whatever the optimiser does to their coordinates', async () => {
    const engine = await engineOf(normalised());
    const table = separable(64);
    const request = requestFor(engine, table, { batchSize: 32, duration: { kind: 'epochs', epochs: 60 } });
    const { parameters } = await engine.train(request, QUIET);
    const column = Array.from({ length: 64 }, (_, row) => table.features[2 * row]!);
    const mean = column.reduce((a, b) => a + b) / 64;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 64;
    expect(Math.abs(parameters[6]! - mean)).toBeLessThan(0.05 + 0.05 * Math.abs(mean));
    // Of batches of 32, with PyTorch's correction by 32 / 31.
    expect(Math.abs(parameters[8]! / variance - 1)).toBeLessThan(0.1);
  });

  it('do not depend on how a short last batch is filled with zeros, for it is filled with records', async () => {
    const engine = await engineOf(normalised());
    const table = { ...separable(20), rows: 20 };
    const features = table.features.map((value) => value + 100);
    const request = requestFor(
      engine,
      { ...table, features },
      { batchSize: 16, duration: { kind: 'epochs', epochs: 40 } },
    );
    const { parameters } = await engine.train(request, QUIET);
    // One zero among records near 100 would pull the mean far down.
    expect(parameters[6]).toBeGreaterThan(95);
    expect(parameters[8]).toBeLessThan(20);
  });

  it('stand in the published file, which normalises by them and drops nothing', async () => {
    const model = readForwardModel(normalised({ dropout: 0.5 }));
    const parameters = initialParameters(model);
    const file = withParameters(model, parameters);
    expect(parametersIn(model, file)).toEqual(parameters);
    const { logits } = await runOnce(file, { x: tensor([MEAN + 2, MEAN], [1, 2]) });
    // (x - 8) / 2 by a half; epsilon is 1e-5.
    expect(logits![0]).toBeCloseTo(0.5, 4);
  });

  it('of a file without those parameters are refused', () => {
    const model = readForwardModel(normalised());
    const other = new GraphBuilder(17, '');
    other.initialiser('w', float32([1, 2], [1, 2]));
    expect(() => parametersIn(model, other.bytes())).toThrow(/the file holds no float32 scale of shape \[2\]/);
  });
});

describe('dropout', () => {
  it('drops the same values for the same seed, and others for another', async () => {
    const engine = await engineOf(normalised({ dropout: 0.5, training: 0 }));
    const request = requestFor(engine, separable(40));
    const [first, second] = [await engine.train(request, QUIET), await engine.train(request, QUIET)];
    expect(second.parameters).toEqual(first.parameters);
    const other = await engine.train({ ...request, seed: new Uint8Array(32).fill(9) }, QUIET);
    expect(other.parameters).not.toEqual(first.parameters);
  });

  it('is off when a model is evaluated', async () => {
    const request = { table: separable(40), batchSize: 8, bins: 4 };
    const losses: number[] = [];
    for (const dropout of [0, 0.5]) {
      const engine = await engineOf(normalised({ dropout }));
      losses.push(
        (await engine.evaluate({ ...request, parameters: initialParameters(engine.model) }, () => false)).lossSum,
      );
    }
    expect(losses[1]).toBe(losses[0]);
  });

  it('drops the part that was asked for and keeps the expected value', () => {
    const mask = new Float32Array(100_000);
    new MaskSource(new Uint8Array(32)).fill(mask, { ratio: 0.3 });
    const dropped = mask.filter((value) => value === 0).length;
    // Six standard deviations of a binomial count.
    expect(Math.abs(dropped - 30_000)).toBeLessThan(6 * Math.sqrt(100_000 * 0.3 * 0.7));
    expect([...new Set(mask)].sort()).toEqual([0, Math.fround(1 / 0.7)]);
  });
});

describe('a model of whole numbers', () => {
  it('takes them from a table of float32', async () => {
    const builder = new GraphBuilder(17, '');
    builder.input('x', 'int64', ['batch', 2]);
    builder.initialiser('embedding', float32([5, 3], seededFloats(15, 3)));
    builder.initialiser('w', float32([1, 6], seededFloats(6, 4)));
    const flat = builder.emit('Flatten', [builder.emit('Gather', ['embedding', 'x'])]);
    builder.emitNamed('Gemm', [flat, 'w'], ['logits'], { transB: int(1) });
    builder.output('logits', 'float32', ['batch', 1]);
    const engine = await engineOf(builder.bytes());
    expect(engine.model.input).toEqual({ name: 'x', rowShape: [2], type: 'int64' });
    const rows = 40;
    const features = Float32Array.from({ length: 2 * rows }, (_, i) => (i * 7 + (i >> 2)) % 5);
    // Whether the first number is above the second: an embedding can tell, a line through the numbers cannot know which is which.
    const targets = Float32Array.from({ length: rows }, (_, row) =>
      features[2 * row]! > features[2 * row + 1]! ? 1 : 0,
    );
    const table = { rows, columns: 2, features, targets };
    const request = requestFor(engine, table, { duration: { kind: 'epochs', epochs: 120 } });
    const { parameters } = await engine.train(request, QUIET);
    const { correct } = await engine.evaluate({ parameters, table, batchSize: 16, bins: 4 }, () => false);
    expect(correct).toBe(rows);
  });
});
