// The standardisation that every silo bakes into the model by itself.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readForwardModel, withParameters, withStandardisation } from '../../../src/model/index.js';
import { multiLayerPerceptron, seededFloats } from '../../support/onnx-models.js';
import { operateOn } from '../../support/onnx-surgery.js';
import { runOnce, tensor } from '../../support/onnx-run.js';

const MODEL = multiLayerPerceptron([3, 5, 2], 4);
const mean = Float64Array.of(50, -0.3, 1000);
const std = Float64Array.of(12, 0.01, 250);

describe('withStandardisation', () => {
  it('computes on raw features what the plain model computes on standardised ones', async () => {
    const rows = 7;
    const standardised = seededFloats(rows * 3, 6, 2);
    const raw = standardised.map((value, i) => value * std[i % 3]! + mean[i % 3]!);
    // What the float32 features became after rounding, so that only the baked arithmetic is compared.
    const back = Float64Array.from(raw, (value, i) => (value - mean[i % 3]!) / std[i % 3]!);
    const plain = await runOnce(MODEL, { x: tensor(back, [rows, 3]) });
    const baked = await runOnce(withStandardisation(MODEL, { mean, std }), { x: tensor(raw, [rows, 3]) });
    for (const [i, value] of plain['logits']!.entries()) expect(baked['logits']![i]).toBeCloseTo(value, 4);
  });

  it('adds nothing to the trainable parameters', () => {
    const before = readForwardModel(MODEL);
    const after = readForwardModel(withStandardisation(MODEL, { mean, std }));
    expect(after.parameters).toEqual(before.parameters);
    expect([before.standardised, after.standardised]).toEqual([false, true]);
  });

  it('survives an export with new parameters', () => {
    const model = readForwardModel(withStandardisation(MODEL, { mean, std }));
    const exported = readForwardModel(withParameters(model, new Float32Array(model.parameterCount)));
    expect(exported.graph.initialisers.get('veilsum.standardise.mean')?.data).toEqual(Float32Array.from(mean));
    expect(exported.standardised).toBe(true);
  });

  it('gives equal bytes for equal statistics, and other bytes for others', () => {
    const once = withStandardisation(MODEL, { mean, std });
    expect(withStandardisation(MODEL, { mean: mean.slice(), std: std.slice() })).toEqual(once);
    expect(withStandardisation(MODEL, { mean, std: Float64Array.of(12, 0.01, 251) })).not.toEqual(once);
  });

  it('gives the bytes it has always given', () => {
    const digest = createHash('sha256').update(withStandardisation(MODEL, { mean, std })).digest('hex');
    // Changes only with the format, which would part silos of different versions.
    expect(digest.slice(0, 16)).toBe('31d17b12565f0440');
  });

  it('rounds the float64 reciprocal once to float32', () => {
    const { graph } = readForwardModel(withStandardisation(MODEL, { mean, std }));
    expect(graph.initialisers.get('veilsum.standardise.inverse_std')?.data).toEqual(
      Float32Array.from(std, (s) => 1 / s),
    );
  });

  it('switches a column off that does not vary, also when rounding makes it seem to', async () => {
    const flat = { mean: Float64Array.of(50, 0, 1e6), std: Float64Array.of(0, 1e-12, 1e-4) };
    const baked = withStandardisation(MODEL, flat);
    const { graph } = readForwardModel(baked);
    expect([...graph.initialisers.get('veilsum.standardise.inverse_std')!.data]).toEqual([0, 0, 0]);
    const one = await runOnce(baked, { x: tensor([50, 0, 1e6], [1, 3]) });
    const other = await runOnce(baked, { x: tensor([-1e5, 3, 0], [1, 3]) });
    expect(other['logits']).toEqual(one['logits']);
  });

  it('refuses a model that carries a standardisation', () => {
    const once = withStandardisation(MODEL, { mean, std });
    expect(() => withStandardisation(once, { mean, std })).toThrow(/carries a standardisation/);
  });

  it('refuses a model that uses one of its names for something else', () => {
    const squatting = operateOn(MODEL, (m) => {
      m.graph.node[1]!.output = ['veilsum.standardise.output'];
      m.graph.node[2]!.input[0] = 'veilsum.standardise.output';
    });
    expect(() => withStandardisation(squatting, { mean, std })).toThrow(/carries a standardisation/);
  });

  it.each([
    ['too few means', { mean: mean.subarray(1), std }],
    ['too many deviations', { mean, std: Float64Array.of(1, 2, 3, 4) }],
    ['a mean that is not finite', { mean: Float64Array.of(1, Number.NaN, 3), std }],
    ['a mean beyond float32', { mean: Float64Array.of(1, 1e39, 3), std }],
    ['a negative deviation', { mean, std: Float64Array.of(1, -1, 1) }],
    ['a deviation that is not a number', { mean, std: Float64Array.of(1, Number.NaN, 1) }],
    ['an infinite deviation', { mean, std: Float64Array.of(1, Infinity, 1) }],
  ])('refuses %s', (_, statistics) => {
    expect(() => withStandardisation(MODEL, statistics)).toThrow(
      expect.objectContaining({ code: 'model/bad-standardisation' }),
    );
  });
});
