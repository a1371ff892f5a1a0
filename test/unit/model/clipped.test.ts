// Per-example clipping inside the graph gives, for every family of layers, the norms and the clipped sum of as many single runs.

import { describe, expect, it } from 'vitest';
import { clippedGraph, initialParameters, LOSSES, ModelError, readForwardModel } from '../../../src/model/index.js';
import { loadRuntime, measureShapes } from '../../../src/trainer/runtime.js';
import { clippedAtOnce, clippedOneByOne, sameAsSingleRuns, type ClippingCase } from '../../support/clipping.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';
import { FAMILIES, featuresOf, fixture, fixtureModel, targetsOf, relativeError } from '../../support/parity.js';

const TOLERANCE = 1e-5;
/** Families whose normalisation looks at the whole batch. */
const MIXING = new Set(['resnet', 'ecg', 'u-net']);

function caseOf(family: string, change: Partial<ClippingCase> = {}): ClippingCase {
  const expected = fixture(family);
  const bytes = fixtureModel(family);
  const model = readForwardModel(bytes);
  const rows = expected.x.shape[0]!;
  return {
    bytes,
    loss: expected.loss,
    parameters: initialParameters(model),
    features: featuresOf(model.input.type, expected),
    targets: targetsOf(expected),
    weights: Array.from({ length: rows }, () => 1),
    ...change,
  };
}

describe('norms and clipped sums equal those of single runs to 1e-5', () => {
  for (const family of FAMILIES.filter((name) => !MIXING.has(name)))
    it(family, async () => {
      await sameAsSingleRuns(caseOf(family));
    });
});

describe('the patient as the unit', () => {
  for (const family of ['mlp-relu', 'cnn', 'lstm', 'transformer'])
    it(`cuts the mean gradient over the rows of each: ${family}`, async () => {
      const plain = caseOf(family);
      const rows = plain.weights.length;
      const units = [[0, rows - 1], [1], Array.from({ length: rows - 3 }, (_, i) => i + 2)];
      const weights = plain.weights.map((_, row) => 1 / units.find((unit) => unit.includes(row))!.length);
      await sameAsSingleRuns({ ...plain, units, weights });
    });

  it('does not take rows that cancel for shorter than they are', async () => {
    const bytes = multiLayerPerceptron([2, 8, 1], 4);
    const features = Float32Array.of(3, -2, 3, -2);
    // The same row with opposite targets around its own score: what is left is far below what cancels.
    const units = [[0, 1]];
    const base = { bytes, loss: 'squared-error' as const, parameters: initialParameters(readForwardModel(bytes)) };
    const found = await clippedAtOnce({ ...base, features, targets: [1e4, -1e4], weights: [0.5, 0.5], units }, 1);
    const expected = await clippedOneByOne({ ...base, features, targets: [1e4, -1e4], weights: [0.5, 0.5], units }, 1);
    expect(found.norms[0]!).toBeGreaterThanOrEqual(expected.norms[0]! * (1 - 1e-6));
    expect(Math.hypot(...found.sum)).toBeLessThanOrEqual(1 + 1e-6);
  });
});

describe('what counts for nothing', () => {
  it('rows of weight zero, which fill up a batch', async () => {
    const plain = caseOf('mlp-relu');
    const weights = plain.weights.map((_, row) => (row < 3 ? 1 : 0));
    await sameAsSingleRuns({ ...plain, weights });
    const { norms } = await clippedAtOnce({ ...plain, weights }, 1);
    expect([...norms.slice(3)].every((norm) => norm === 0)).toBe(true);
  });

  it('a row whose gradient overflows, which leaves the sum of the others as it is', async () => {
    for (const family of ['mlp-relu', 'cnn']) {
      const plain = caseOf(family);
      const columns = plain.features.length / plain.weights.length;
      const features = plain.features.slice();
      features.fill(1e30, 0, columns);
      const without = plain.weights.map((_, row) => (row === 0 ? 0 : 1));
      const expected = await clippedAtOnce({ ...plain, weights: without }, 0.5);
      const found = await clippedAtOnce({ ...plain, features }, 0.5);
      expect(relativeError(Float32Array.from(found.sum), Float32Array.from(expected.sum))).toBeLessThan(TOLERANCE);
    }
  });
});

describe('clipping', () => {
  it('leaves no record longer than the clip, whatever its gradient: the canary', async () => {
    for (const family of ['mlp-relu', 'cnn', 'gru', 'transformer']) {
      const plain = caseOf(family);
      const alone = plain.weights.map((_, row) => (row === 0 ? 1000 : 0));
      const { norms, sum } = await clippedAtOnce({ ...plain, weights: alone }, 0.01);
      expect(norms[0], family).toBeGreaterThan(0.1);
      expect(Math.hypot(...sum), family).toBeLessThanOrEqual(0.01 * (1 + 1e-5));
      expect(Math.hypot(...sum), family).toBeGreaterThan(0.01 * (1 - 1e-5));
    }
  });

  it('writes out nothing for dense layers, and everything else', async () => {
    const { writtenOut } = await clippedAtOnce(caseOf('mlp-relu'), 1);
    const biases = readForwardModel(fixtureModel('mlp-relu')).parameters.filter(({ shape }) => shape.length === 1);
    expect(writtenOut).toBe(biases.reduce((total, { length }) => total + length, 0));
    const cnn = await clippedAtOnce(caseOf('cnn'), 1);
    expect(cnn.writtenOut).toBeGreaterThan(cnn.model.parameters.find(({ shape }) => shape.length === 4)!.length);
  });
});

describe('a model that mixes records', () => {
  for (const family of MIXING)
    it(`${family}: refuses its batch normalisation and names the remedy`, async () => {
      const model = readForwardModel(fixtureModel(family));
      const runtime = await loadRuntime();
      const shapes = await measureShapes(runtime, model, 2);
      const refused = (): unknown => clippedGraph(model, shapes, shapes, LOSSES['binary-cross-entropy'], false);
      expect(refused).toThrow(ModelError);
      expect(refused).toThrow(/BatchNormalization mixes the records/);
      try {
        refused();
      } catch (error) {
        expect((error as ModelError).remedy).toMatch(/GroupNorm/);
      }
    });

  it('refuses a loss whose rows look at each other', async () => {
    const model = readForwardModel(multiLayerPerceptron([2, 4, 1], 1));
    const shapes = await measureShapes(await loadRuntime(), model, 2);
    expect(() => clippedGraph(model, shapes, shapes, LOSSES.cox, false)).toThrow(/no gradients of their own/);
  });
});
