// Losses against their definitions, and their gradients against finite differences through a whole small model.

import { describe, expect, it } from 'vitest';
import {
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

const TARGETS = {
  'binary-cross-entropy': tensor(NUMBERS, [ROWS, 3]),
  'softmax-cross-entropy': labels(CLASSES),
  'squared-error': tensor(NUMBERS, [ROWS, 3]),
};

/** The loss of one row of logits by its definition, in float64. */
const DEFINITION: Record<LossKind, (z: number[], row: number) => number> = {
  'binary-cross-entropy': (z, row) =>
    z.reduce((sum, v, i) => {
      const [p, t] = [1 / (1 + Math.exp(-v)), NUMBERS[3 * row + i]!];
      return sum - t * Math.log(p) - (1 - t) * Math.log(1 - p);
    }, 0) / 3,
  'softmax-cross-entropy': (z, row) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[CLASSES[row]!]!,
  'squared-error': (z, row) => z.reduce((sum, v, i) => sum + (v - NUMBERS[3 * row + i]!) ** 2, 0) / 3,
};

for (const kind of Object.keys(LOSSES) as LossKind[])
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
