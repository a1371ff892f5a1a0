// Each optimiser against steps computed by hand.

import { describe, expect, it } from 'vitest';
import { createOptimiser, type OptimiserSettings } from '../../../src/model/index.js';

function run(settings: OptimiserSettings, gradients: readonly number[][], rate: number): number[] {
  const parameters = Float32Array.of(1, -2);
  const optimiser = createOptimiser(settings, 2);
  for (const gradient of gradients) optimiser.step(parameters, Float32Array.from(gradient), rate);
  return [...parameters];
}

describe('optimisers', () => {
  it('sgd without momentum subtracts the scaled gradient', () => {
    expect(run({ kind: 'sgd', momentum: 0 }, [[2, -4]], 0.25)).toEqual([0.5, -1]);
  });

  it('sgd with momentum adds half of the velocity before', () => {
    // v = 2, then 2 / 2 + 1 = 2; p = 1 - 0.25 * 2 - 0.25 * 2 = 0.
    // v = -4, then -4 / 2 + 0 = -2; p = -2 + 1 + 0.5 = -0.5.
    expect(
      run(
        { kind: 'sgd', momentum: 0.5 },
        [
          [2, -4],
          [1, 0],
        ],
        0.25,
      ),
    ).toEqual([0, -0.5]);
  });

  it('adam moves by the learning rate in its first step, whatever the gradient’s size', () => {
    const [a, b] = run({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-12 }, [[1e-3, -1e3]], 0.1);
    expect(a).toBeCloseTo(0.9, 6);
    expect(b).toBeCloseTo(-1.9, 6);
  });

  it('adam takes the second step that the paper’s algorithm gives', () => {
    // beta1 = 0.5, beta2 = 0.75, g = 1 then 3, epsilon = 1:
    // step 1: m = .5, v = .25, mhat = 1, vhat = 1, p = 1 - .1 * 1/2 = .95
    // step 2: m = 1.75, v = 2.4375, mhat = 1.75/.75, vhat = 2.4375/.4375, p = .95 - .1 * 2.3333 / (2.36039 + 1)
    const [a] = run(
      { kind: 'adam', beta1: 0.5, beta2: 0.75, epsilon: 1 },
      [
        [1, 0],
        [3, 0],
      ],
      0.1,
    );
    expect(a).toBeCloseTo(0.95 - (0.1 * (1.75 / 0.75)) / (Math.sqrt(2.4375 / 0.4375) + 1), 6);
  });

  it('leaves a parameter without gradient alone', () => {
    for (const settings of [
      { kind: 'sgd', momentum: 0.9 },
      { kind: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
    ] as const)
      expect(
        run(
          settings,
          [
            [1, 0],
            [1, 0],
          ],
          0.1,
        )[1],
      ).toBe(-2);
  });

  it.each([
    [{ kind: 'sgd', momentum: 1 }],
    [{ kind: 'sgd', momentum: -0.1 }],
    [{ kind: 'sgd', momentum: Number.NaN }],
    [{ kind: 'adam', beta1: 1, beta2: 0.9, epsilon: 1e-8 }],
    [{ kind: 'adam', beta1: 0.9, beta2: 1, epsilon: 1e-8 }],
    [{ kind: 'adam', beta1: 0.9, beta2: 0.9, epsilon: 0 }],
  ] as const)('refuses %j', (settings) => {
    expect(() => createOptimiser(settings, 1)).toThrow(expect.objectContaining({ code: 'model/bad-optimiser' }));
  });
});
