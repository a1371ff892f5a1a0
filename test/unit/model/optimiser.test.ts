// Each optimiser against steps computed by hand.

import { describe, expect, it } from 'vitest';
import {
  clipGradientInto,
  controlChange,
  correctInto,
  createOptimiser,
  learningRateAt,
  pullTowardsInto,
  reachOf,
  type OptimiserSettings,
} from '../../../src/model/index.js';

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

  it('sgd with Nesterov’s momentum looks ahead', () => {
    // g = 2, 1: v = 2, then 2; steps 2 + 1 = 3, then 1 + 1 = 2; p = 1 - 0.25 * 5.
    const gradients = [
      [2, 0],
      [1, 0],
    ];
    expect(run({ kind: 'sgd', momentum: 0.5, nesterov: true }, gradients, 0.25)[0]).toBe(-0.25);
  });

  it('weight decay joins the gradient of sgd and adam, and shrinks the parameter under adamw', () => {
    // g = 2 + 0.5 * 1, p = 1 - 0.25 * 2.5; and g = 0 - 0.5 * 2, p = -2 + 0.25 * 1.
    expect(run({ kind: 'sgd', momentum: 0, weightDecay: 0.5 }, [[2, 0]], 0.25)).toEqual([0.375, -1.75]);
    // The gradient is decay alone, and Adam's first step is the rate whatever the size.
    const terms = { beta1: 0.5, beta2: 0.5, epsilon: 1e-12, weightDecay: 0.5 };
    expect(run({ kind: 'adam', ...terms }, [[0, 0]], 0.125)[0]).toBeCloseTo(0.875, 6);
    // p <- (1 - 0.125 * 0.5) * p, and the step of Adam beside it.
    expect(run({ kind: 'adamw', ...terms }, [[0, 0]], 0.125)).toEqual([0.9375, -1.875]);
    expect(run({ kind: 'adamw', ...terms }, [[1, 0]], 0.125)[0]).toBeCloseTo(0.9375 - 0.125, 6);
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
    [{ kind: 'adamw', beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: -1 }],
    [{ kind: 'sgd', momentum: 0, nesterov: true }],
    [{ kind: 'sgd', momentum: 0, weightDecay: Number.NaN }],
  ] as const)('refuses %j', (settings) => {
    expect(() => createOptimiser(settings, 1)).toThrow(expect.objectContaining({ code: 'model/bad-optimiser' }));
  });
});

describe('what bends a step', () => {
  it('clipping scales a gradient that is too long, and leaves others', () => {
    const [long, short] = [Float32Array.of(3, 4), Float32Array.of(0.3, 0.4)];
    clipGradientInto(long, 2.5);
    clipGradientInto(short, 2.5);
    expect([...long]).toEqual([1.5, 2]);
    expect([...short]).toEqual([...Float32Array.of(0.3, 0.4)]);
  });

  it('fed-prox adds mu times the distance from the round’s model', () => {
    const gradient = Float32Array.of(1, 1);
    pullTowardsInto(gradient, Float32Array.of(3, -1), Float32Array.of(1, 1), 0.5);
    expect([...gradient]).toEqual([2, 0]);
  });

  it('scaffold follows g - c_i + c, and sends the mean gradient it met, less c', () => {
    // Two steps of rate 0.5 from 0 with gradients 1 and 3, c = 0.25, c_i = 0.75: corrected 0.5 and 2.5, p = -1.5.
    const gradient = Float32Array.of(1);
    correctInto(gradient, Float32Array.of(0.25 - 0.75));
    expect(gradient[0]).toBe(0.5);
    // c_i' = c_i - c + 1.5 / (2 * 0.5) = 2 = (1 + 3) / 2, so c_i' - c_i = 1.25.
    expect([...controlChange([0.25], Float32Array.of(-1.5), 2 * 0.5)]).toEqual([1.25]);
  });
});

describe('the reach of local steps', () => {
  it('is the number of plain steps', () => {
    expect(reachOf({ kind: 'sgd', momentum: 0 }, 1, 7, 0)).toBe(7);
  });

  it('grows with momentum as the paper of FedNova has it', () => {
    // |a|_1 = (K - m (1 - m^K) / (1 - m)) / (1 - m), K = 3, m = 0.5.
    expect(reachOf({ kind: 'sgd', momentum: 0.5 }, 1, 3, 0)).toBe((3 - (0.5 * (1 - 0.125)) / 0.5) / 0.5);
    expect(reachOf({ kind: 'sgd', momentum: 0.5, nesterov: true }, 1, 1, 0)).toBe(1.5);
  });

  it('falls with a pull back to the start', () => {
    // (1 - (1 - rate * mu)^K) / mu.
    expect(reachOf({ kind: 'sgd', momentum: 0 }, 0.5, 2, 0.5)).toBeCloseTo((1 - 0.75 ** 2) / 0.5, 12);
  });
});

describe('the learning rate of a round', () => {
  const rates = (plan: Partial<Parameters<typeof learningRateAt>[0]>, rounds: number) =>
    Array.from({ length: rounds }, (_, i) =>
      learningRateAt({ learningRate: 2, schedule: { kind: 'constant' }, warmUpRounds: 0, ...plan }, i + 1, rounds),
    );

  it('stays, falls in steps, or falls along half a cosine', () => {
    expect(rates({}, 3)).toEqual([2, 2, 2]);
    expect(rates({ schedule: { kind: 'step', everyRounds: 2, factor: 0.5 } }, 5)).toEqual([2, 2, 1, 1, 0.5]);
    const cosine = rates({ schedule: { kind: 'cosine', finalFactor: 0.5 } }, 3);
    [2, 1.5, 1].forEach((rate, i) => {
      expect(cosine[i]).toBeCloseTo(rate, 12);
    });
    expect(rates({ schedule: { kind: 'cosine', finalFactor: 0.5 } }, 1)).toEqual([2]);
  });

  it('climbs in equal steps first', () => {
    expect(rates({ warmUpRounds: 3 }, 5)).toEqual([0.5, 1, 1.5, 2, 2]);
  });
});
