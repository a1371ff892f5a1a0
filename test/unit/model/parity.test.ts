// The same batch through the same model gives PyTorch's loss, PyTorch's gradients and PyTorch's running statistics. The fixtures are
// made by tools/parity/export.py; no Python is needed here. Measured per tensor: max |ours - theirs| / max |theirs|.

import { describe, expect, it } from 'vitest';
import { operateOn } from '../../support/onnx-surgery.js';
import { FAMILIES, fixture, fixtureModel, floats, relativeError, runFixture } from '../../support/parity.js';

const TOLERANCE = 1e-5;

describe('agrees with PyTorch to 1e-5 of the largest element of each tensor', () => {
  for (const family of FAMILIES)
    it(family, async () => {
      const expected = fixture(family);
      const result = await runFixture(fixtureModel(family), expected);
      expect(Math.abs(result.loss - expected.value) / Math.abs(expected.value)).toBeLessThan(TOLERANCE);
      expect([...result.gradients.keys()].sort()).toEqual(Object.keys(expected.gradients).sort());
      for (const [name, gradient] of result.gradients)
        expect(relativeError(gradient, floats(expected.gradients[name]!)), name).toBeLessThan(TOLERANCE);
      expect([...result.statistics.keys()].sort()).toEqual(Object.keys(expected.statistics).sort());
      for (const [name, statistic] of result.statistics)
        expect(relativeError(statistic, floats(expected.statistics[name]!)), name).toBeLessThan(TOLERANCE);
    });
});

describe('the comparison', () => {
  it('notices one element that is off by three parts in a hundred thousand of the largest', () => {
    const theirs = Float32Array.of(0.5, -2, 0.25);
    const ours = theirs.slice();
    ours[0]! += 6e-5;
    expect(relativeError(ours, theirs)).toBeGreaterThan(TOLERANCE);
    expect(relativeError(theirs, theirs)).toBe(0);
  });

  it('notices a gradient of another length, and one that is not a number', () => {
    expect(relativeError(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Infinity);
    expect(relativeError(Float32Array.of(Number.NaN), Float32Array.of(1))).not.toBeLessThan(TOLERANCE);
  });

  it('notices a weight of the model that differs from PyTorch’s by one part in a thousand', async () => {
    const expected = fixture('mlp-relu');
    const bytes = fixtureModel('mlp-relu');
    const changed = operateOn(bytes, (m) => {
      const { rawData } = m.graph.initializer[0]!;
      const view = new DataView(rawData.buffer, rawData.byteOffset);
      view.setFloat32(0, view.getFloat32(0, true) * 1.001, true);
    });
    const { gradients } = await runFixture(changed, expected);
    const worst = [...gradients].map(([name, ours]) => relativeError(ours, floats(expected.gradients[name]!)));
    expect(Math.max(...worst)).toBeGreaterThan(TOLERANCE);
  });
});
