// Losses against their definitions, and their gradients against finite differences through a whole small model.

import { describe, expect, it } from 'vitest';
import {
  createLoss,
  differentiate,
  initialParameters,
  LOSSES,
  readForwardModel,
  STEP_NAMES,
  type LossKind,
} from '../../../src/model/index.js';
import { multiLayerPerceptron, seededFloats } from '../../support/onnx-models.js';
import {
  labels,
  measureShapes,
  openSession,
  parameterFeeds,
  runOnce,
  stepGraphs,
  tensor,
} from '../../support/onnx-run.js';

const ROWS = 4;
const MODEL = readForwardModel(multiLayerPerceptron([3, 4, 3], 8));
const X = tensor(seededFloats(ROWS * 3, 21), [ROWS, 3]);
const WEIGHTS = [1, 0.5, 0, 2];
const CLASSES = [2, 0, 1, 1];
const NUMBERS = [1, 0, 0, 0.5, 1, 1, 0, 0, 1, 0, 1, 0];

const BITS = [1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0];
// One output a row is all that Cox takes; its rows see each other and are tested in cox.test.ts.
type RowKind = Exclude<LossKind, 'cox'>;

const TARGETS = {
  'binary-cross-entropy': tensor(NUMBERS, [ROWS, 3]),
  'softmax-cross-entropy': labels(CLASSES),
  'squared-error': tensor(NUMBERS, [ROWS, 3]),
  huber: tensor(NUMBERS, [ROWS, 3]),
  focal: tensor(BITS, [ROWS, 3]),
};

/** The loss of one row of logits by its definition, in float64. */
const DEFINITION: Record<RowKind, (z: number[], row: number) => number> = {
  'binary-cross-entropy': (z, row) =>
    z.reduce((sum, v, i) => {
      const [p, t] = [1 / (1 + Math.exp(-v)), NUMBERS[3 * row + i]!];
      return sum - t * Math.log(p) - (1 - t) * Math.log(1 - p);
    }, 0) / 3,
  'softmax-cross-entropy': (z, row) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[CLASSES[row]!]!,
  'squared-error': (z, row) => z.reduce((sum, v, i) => sum + (v - NUMBERS[3 * row + i]!) ** 2, 0) / 3,
  huber: (z, row) =>
    z.reduce((sum, v, i) => {
      const error = Math.abs(v - NUMBERS[3 * row + i]!);
      return sum + (error <= 1 ? error ** 2 / 2 : error - 0.5);
    }, 0) / 3,
  focal: (z, row) =>
    z.reduce((sum, v, i) => {
      const p = 1 / (1 + Math.exp(-v));
      const q = BITS[3 * row + i] === 1 ? p : 1 - p;
      return sum - (1 - q) ** 2 * Math.log(q);
    }, 0) / 3,
};

for (const kind of Object.keys(DEFINITION) as RowKind[])
  describe(kind, () => {
    it('gives each row the loss of its definition, and their weighted mean', async () => {
      const { training, evaluation } = await stepGraphs(MODEL, ROWS, LOSSES[kind]);
      const flat = initialParameters(MODEL);
      const feeds = { x: X, [STEP_NAMES.targets]: TARGETS[kind], ...parameterFeeds(training, flat) };
      const { [STEP_NAMES.rowLosses]: rows } = await runOnce(evaluation.bytes, feeds);
      const logits = [...(await runOnce(multiLayerPerceptron([3, 4, 3], 8), { x: X }))['logits']!];
      const expected = WEIGHTS.map((_, row) => DEFINITION[kind](logits.slice(3 * row, 3 * row + 3), row));
      for (const [row, loss] of expected.entries()) expect(rows![row]).toBeCloseTo(loss, 5);
      const results = await runOnce(training.bytes, { ...feeds, [STEP_NAMES.weights]: tensor(WEIGHTS, [ROWS]) });
      const mean = expected.reduce((sum, loss, row) => sum + WEIGHTS[row]! * loss, 0) / 3.5;
      expect(results[STEP_NAMES.loss]![0]).toBeCloseTo(mean, 5);
    });

    it('has the gradient of its weighted mean', async () => {
      const { training } = await stepGraphs(MODEL, ROWS, LOSSES[kind]);
      const flat = initialParameters(MODEL);
      const session = await openSession(training.bytes);
      const run = () =>
        session.run({
          x: X,
          [STEP_NAMES.targets]: TARGETS[kind],
          [STEP_NAMES.weights]: tensor(WEIGHTS, [ROWS]),
          ...parameterFeeds(training, flat),
        });
      const emitted = await run();
      const gradient = training.gradients.flatMap((name) => [...emitted[name]!]);
      const step = 1e-2;
      for (let i = 0; i < flat.length; i++) {
        const here = flat[i]!;
        flat[i] = here + step;
        const above = (await run())[STEP_NAMES.loss]![0]!;
        flat[i] = here - step;
        const below = (await run())[STEP_NAMES.loss]![0]!;
        flat[i] = here;
        expect((above - below) / (2 * step)).toBeCloseTo(gradient[i]!, 3);
      }
      expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.05);
      await session.close();
    });

    it('stays finite at logits of a thousand', async () => {
      const { training } = await stepGraphs(MODEL, ROWS, LOSSES[kind]);
      const flat = initialParameters(MODEL).map((value) => value * 100);
      const results = await runOnce(training.bytes, {
        x: tensor(seededFloats(ROWS * 3, 21, 10), [ROWS, 3]),
        [STEP_NAMES.targets]: TARGETS[kind],
        [STEP_NAMES.weights]: tensor(WEIGHTS, [ROWS]),
        ...parameterFeeds(training, flat),
      });
      for (const values of Object.values(results)) expect(values.every((v) => Number.isFinite(v))).toBe(true);
    });
  });

describe('class weights', () => {
  const weighted = async (kind: 'binary-cross-entropy' | 'focal' | 'softmax-cross-entropy', weights: number[]) => {
    const settings = kind === 'focal' ? { kind, gamma: 2, classWeights: weights } : { kind, classWeights: weights };
    const { training, evaluation } = await stepGraphs(MODEL, ROWS, createLoss(settings));
    const feeds = {
      x: X,
      [STEP_NAMES.targets]: kind === 'binary-cross-entropy' ? TARGETS.focal : TARGETS[kind],
      ...parameterFeeds(training, initialParameters(MODEL)),
    };
    const { [STEP_NAMES.rowLosses]: rows } = await runOnce(evaluation.bytes, feeds);
    const trained = await runOnce(training.bytes, { ...feeds, [STEP_NAMES.weights]: tensor([1, 1, 1, 1], [ROWS]) });
    return { rows: [...rows!], gradient: training.gradients.flatMap((name) => [...trained[name]!]) };
  };

  it('multiply the loss and the gradient of each record by the weight of its class', async () => {
    const plain = await weighted('softmax-cross-entropy', [1, 1, 1]);
    const each = await weighted('softmax-cross-entropy', [2, 3, 5]);
    for (const [row, loss] of each.rows.entries())
      expect(loss).toBeCloseTo(plain.rows[row]! * [2, 3, 5][CLASSES[row]!]!, 5);
    const doubled = await weighted('softmax-cross-entropy', [2, 2, 2]);
    for (const [i, value] of doubled.gradient.entries()) expect(value).toBeCloseTo(2 * plain.gradient[i]!, 5);
  });

  it.each(['binary-cross-entropy', 'focal'] as const)('of %s add up over the two targets', async (kind) => {
    const [plain, zeros, ones] = [await weighted(kind, []), await weighted(kind, [2, 1]), await weighted(kind, [1, 2])];
    // w0 = 2 adds the losses of targets 0 once more, w1 = 2 those of targets 1: together all of them.
    for (const part of ['rows', 'gradient'] as const)
      for (const [i, value] of plain[part].entries())
        expect(zeros[part][i]! + ones[part][i]!).toBeCloseTo(3 * value, 5);
    expect(zeros.rows).not.toEqual(plain.rows);
  });

  it.each([
    ['a weight of zero', { kind: 'binary-cross-entropy', classWeights: [1, 0] }],
    ['three weights for two targets', { kind: 'focal', gamma: 2, classWeights: [1, 1, 1] }],
    ['a gamma below zero', { kind: 'focal', gamma: -1, classWeights: [] }],
    ['a Huber delta of zero', { kind: 'huber', delta: 0 }],
  ] as const)('%s is refused', (_what, settings) => {
    expect(() => createLoss(settings)).toThrow(expect.objectContaining({ code: 'model/bad-loss' }));
  });

  it('are refused when they are not as many as the outputs of the model', async () => {
    await expect(weighted('softmax-cross-entropy', [1, 1])).rejects.toMatchObject({ code: 'model/bad-loss' });
  });
});

describe('shapes', () => {
  it('refuse softmax cross-entropy on an output that is no row of classes', async () => {
    const model = readForwardModel(multiLayerPerceptron([3, 1], 8));
    const shapes = await measureShapes(model, 2);
    expect(() => differentiate(model, shapes, LOSSES['softmax-cross-entropy'])).toThrow(
      expect.objectContaining({ code: 'model/bad-shape' }),
    );
  });

  it('refuse to differentiate without the shapes of the probe', () => {
    expect(() => differentiate(MODEL, new Map(), LOSSES['squared-error'])).toThrow(/measured no shape/);
  });
});
