// The worker thread, as the programs use it. Needs the compiled worker in dist/: run the build first.

import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTrainer, type Table, type Trainer, type TrainingRequest } from '../../../src/trainer/index.js';
import { defaultLoss, GraphBuilder, float32 } from '../../../src/model/index.js';
import { multiLayerPerceptron, seededFloats } from '../../support/onnx-models.js';
import { held } from '../../support/held.js';

function table(rows: number): Table {
  const features = seededFloats(rows * 2, 5);
  const targets = Float32Array.from({ length: rows }, (_, row) => (features[2 * row]! > 0 ? 1 : 0));
  return { rows, columns: 2, features, targets };
}

function request(epochs: number, rows = 32): TrainingRequest {
  return {
    parameters: seededFloats(2 * 4 + 4 + 4 + 1, 2),
    table: table(rows),
    recipe: {
      batchSize: 8,
      duration: { kind: 'epochs', epochs },
      optimiser: { kind: 'sgd', momentum: 0 },
      learningRate: 0.1,
    },
    seed: new Uint8Array(32),
  };
}

function isRuntime(path: string): boolean {
  return path.includes('onnxruntime-node');
}

describe('the trainer thread', () => {
  let trainer: Trainer;
  beforeAll(async () => {
    trainer = await createTrainer({
      model: multiLayerPerceptron([2, 4, 1], 1),
      loss: defaultLoss('binary-cross-entropy'),
    });
  });
  afterAll(() => trainer.close());

  it('describes the model it has read', () => {
    expect(trainer.model).toMatchObject({ parameterCount: 17, columns: 2, standardised: false });
    expect(trainer.model.parameters.map((slot) => slot.name)).toEqual([
      'layer1.weight',
      'layer1.bias',
      'layer2.weight',
      'layer2.bias',
    ]);
  });

  it('prepares a batch size that fits, and refuses one that is none', async () => {
    await trainer.prepare(8);
    await expect(trainer.prepare(0)).rejects.toMatchObject({ code: 'trainer/bad-recipe' });
  });

  it('trains and evaluates', async () => {
    const reports: number[] = [];
    const { parameters, steps } = await trainer.train(request(20), { onProgress: ({ step }) => reports.push(step) });
    expect(steps).toBe(80);
    expect(reports.at(-1)).toBe(80);
    const { correct, count } = await trainer.evaluate({ parameters, table: table(32), batchSize: 32, bins: 4 });
    expect(count).toBe(32);
    expect(correct).toBeGreaterThan(28);
  });

  it('answers requests that came together one after the other, each as if alone', async () => {
    const [a, b] = await Promise.all([trainer.train(request(3)), trainer.train(request(5))]);
    expect(a).toEqual(await trainer.train(request(3)));
    expect(b).toEqual(await trainer.train(request(5)));
  });

  it('reads a table over shared memory', async () => {
    const plain = request(2);
    const shared = new Float32Array(new SharedArrayBuffer(held(plain.table.features).byteLength));
    shared.set(held(plain.table.features));
    const result = await trainer.train({ ...plain, table: { ...plain.table, features: shared } });
    expect(result).toEqual(await trainer.train(plain));
  });

  it('never loads the runtime, which blocks its thread, into the main thread', async () => {
    const loaded = (): number => Object.keys(createRequire(import.meta.url).cache).filter(isRuntime).length;
    await trainer.train(request(1));
    expect(loaded()).toBe(0);
    await import('onnxruntime-node');
    expect(loaded()).toBeGreaterThan(0);
  });

  it('stops when the signal says so and can be used again', async () => {
    const stop = new AbortController();
    const long = trainer.train(request(1_000_000), { signal: stop.signal, onProgress: () => undefined });
    setImmediate(() => {
      stop.abort();
    });
    await expect(long).rejects.toMatchObject({ code: 'trainer/aborted' });
    expect((await trainer.train(request(1))).steps).toBe(4);
  });

  it('refuses a call whose signal has gone off', async () => {
    await expect(trainer.train(request(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'trainer/aborted',
    });
  });

  it('passes on the error of a request with its code', async () => {
    const bad = request(1);
    await expect(trainer.train({ ...bad, seed: new Uint8Array(3) })).rejects.toMatchObject({
      code: 'trainer/bad-recipe',
      name: 'TrainerError',
    });
    await expect(trainer.train({ ...bad, parameters: new Float32Array(2) })).rejects.toMatchObject({
      code: 'model/bad-parameters',
      name: 'ModelError',
      category: 'content',
    });
  });
});

describe('start and end', () => {
  it('refuses a model with an unknown operator, naming the node', async () => {
    const builder = new GraphBuilder(17, '');
    builder.input('x', 'float32', ['batch', 2]);
    builder.initialiser('w', float32([2], [1, 1]));
    builder.emitNamed('Mul', ['x', 'w'], ['scaled']);
    builder.emitNamed('Mystery', ['scaled'], ['y']);
    builder.output('y', 'float32', ['batch', 2]);
    await expect(createTrainer({ model: builder.bytes(), loss: defaultLoss('squared-error') })).rejects.toMatchObject({
      code: 'model/refused',
      problems: [{ place: 'node Mystery#1', what: 'no gradient for operator Mystery' }],
    });
  });

  it('finds before any training that loss and model do not fit', async () => {
    await using trainer = await createTrainer({
      model: multiLayerPerceptron([2, 1]),
      loss: defaultLoss('softmax-cross-entropy'),
    });
    await expect(trainer.prepare(4)).rejects.toMatchObject({ code: 'model/bad-shape' });
  });

  it('refuses work after it was closed, and closes twice without complaint', async () => {
    const trainer = await createTrainer({
      model: multiLayerPerceptron([2, 4, 1]),
      loss: defaultLoss('binary-cross-entropy'),
    });
    await trainer.close();
    await trainer.close();
    await expect(trainer.train(request(1))).rejects.toMatchObject({ code: 'trainer/closed' });
  });
});
