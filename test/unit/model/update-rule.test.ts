// What every silo computes on the verified sum: by hand, and to the bit.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  advanceControl,
  applyUpdate,
  readControl,
  rescale,
  type Updated,
  type UpdateRule,
} from '../../../src/model/index.js';
import { seededFloats } from '../../support/onnx-models.js';

const NONE = new Uint8Array(0);
const RULES: readonly UpdateRule[] = [
  { kind: 'fed-avg', learningRate: 1 },
  { kind: 'fed-avg-m', learningRate: 1, momentum: 0.9 },
  { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 },
  { kind: 'fed-yogi', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 },
  { kind: 'fed-adagrad', learningRate: 0.1, beta1: 0, tau: 1e-3 },
];

/** Changes only with the pinned arithmetic, which would part silos of different versions. */
const PINNED = ['16f592c6fc7256e1', 'b6cc265578668aed', '177ee25b42d3f9ba', 'd0d5f3c26e382bf0', '54dadaf0de83edd0'];

function rounds(rule: UpdateRule, deltas: readonly number[]): number {
  let model: Updated = { parameters: Float32Array.of(1), state: NONE };
  for (const delta of deltas) model = applyUpdate(rule, model.parameters, model.state, Float64Array.of(delta));
  return model.parameters[0]!;
}

describe('update rules', () => {
  it('fed-avg with rate one moves the model by the mean change', () => {
    const { parameters, state } = applyUpdate(RULES[0]!, Float32Array.of(1, 2), NONE, Float64Array.of(0.5, -0.25));
    expect([...parameters]).toEqual([1.5, 1.75]);
    expect(state).toHaveLength(0);
  });

  it('fed-avg computes in float64 and rounds once', () => {
    // In float32, 16777216 + 1 + 1 loses both ones; the sum 16777216 + 2 is exact.
    const rule = { kind: 'fed-avg', learningRate: 2 } as const;
    expect(applyUpdate(rule, Float32Array.of(16_777_216), NONE, Float64Array.of(1)).parameters[0]).toBe(16_777_218);
  });

  it('fed-avg-m keeps its velocity in the state', () => {
    // v = 1, then 0.5 * 1 + 1 = 1.5: p = 1 + 0.5 * 1 + 0.5 * 1.5.
    expect(rounds({ kind: 'fed-avg-m', learningRate: 0.5, momentum: 0.5 }, [1, 1])).toBe(2.25);
    const { state } = applyUpdate(RULES[1]!, Float32Array.of(1), NONE, Float64Array.of(-2));
    expect([...state]).toEqual([0, 0, 0, 0, 0, 0, 0, 0xc0]);
  });

  it('fed-adam takes the steps that the paper’s algorithm gives', () => {
    const rule = { kind: 'fed-adam', learningRate: 1, beta1: 0.5, beta2: 0.75, tau: 0.5 } as const;
    // v0 = 0.25. Step 1: m = .5, v = .1875 + .25 = .4375. Step 2 (delta 2): m = 1.25, v = .328125 + 1 = 1.328125.
    const expected = 1 + 0.5 / (Math.sqrt(0.4375) + 0.5) + 1.25 / (Math.sqrt(1.328125) + 0.5);
    expect(rounds(rule, [1, 2])).toBeCloseTo(expected, 6);
  });

  it('fed-yogi moves its squares by their own size', () => {
    const rule = { kind: 'fed-yogi', learningRate: 1, beta1: 0.5, beta2: 0.75, tau: 0.5 } as const;
    // v0 = 0.25. Delta 1: v < 1, so v = 0.25 + 0.25 = 0.5, m = 0.5. Delta 0.5: v > 0.25, so v = 0.5 - 0.0625, m = 0.5.
    const expected = 1 + 0.5 / (Math.sqrt(0.5) + 0.5) + 0.5 / (Math.sqrt(0.4375) + 0.5);
    expect(rounds(rule, [1, 0.5])).toBeCloseTo(expected, 6);
  });

  it('fed-adagrad adds squares up', () => {
    const rule = { kind: 'fed-adagrad', learningRate: 1, beta1: 0, tau: 0.5 } as const;
    // v0 = 0.25, v = 1.25, then 5.25; m is the delta.
    expect(rounds(rule, [1, 2])).toBeCloseTo(1 + 1 / (Math.sqrt(1.25) + 0.5) + 2 / (Math.sqrt(5.25) + 0.5), 6);
  });

  it('fed-nova multiplies the mean of normalised changes by the mean reach', () => {
    // Two silos of equal weight with changes 2 and 12 after 1 and 4 steps: d = 2 and 3, mean 2.5; mean reach 2.5.
    expect([...rescale(Float64Array.of(2.5), 2.5, 100)]).toEqual([6.25]);
    expect([...rescale(Float64Array.of(3, 4), 2, 5)]).toEqual([3, 4]);
  });

  it('scaffold moves the common control by the share of silos in the sum', () => {
    const first = advanceControl(NONE, Float64Array.of(2, -4), 0.5);
    expect([...readControl(first, 2)]).toEqual([1, -2]);
    expect([...readControl(advanceControl(first, Float64Array.of(1, 1), 1), 2)]).toEqual([2, -1]);
    expect([...readControl(NONE, 2)]).toEqual([0, 0]);
    expect(() => advanceControl(NONE, Float64Array.of(Infinity), 1)).toThrow(
      expect.objectContaining({ code: 'model/bad-update' }),
    );
  });

  it('leaves its arguments as they were', () => {
    for (const rule of RULES) {
      const [parameters, delta] = [Float32Array.of(1), Float64Array.of(2)];
      const { state } = applyUpdate(rule, parameters, NONE, delta);
      const copy = state.slice();
      applyUpdate(rule, parameters, state, delta);
      expect([parameters[0], delta[0]]).toEqual([1, 2]);
      expect(state).toEqual(copy);
    }
  });

  it('gives the bytes it has always given', () => {
    const digests = RULES.map((rule) => {
      let { parameters, state }: Updated = { parameters: seededFloats(100, 1), state: NONE };
      for (let round = 0; round < 5; round++)
        ({ parameters, state } = applyUpdate(
          rule,
          parameters,
          state,
          Float64Array.from(seededFloats(100, round + 2, 0.1)),
        ));
      return createHash('sha256')
        .update(new Uint8Array(parameters.slice().buffer))
        .update(state)
        .digest('hex')
        .slice(0, 16);
    });
    expect(digests).toEqual(PINNED);
  });

  const cases: [string, () => unknown][] = [
    ['an update of another length', () => applyUpdate(RULES[0]!, Float32Array.of(1), NONE, new Float64Array(2))],
    [
      'an update that is not finite',
      () => applyUpdate(RULES[0]!, Float32Array.of(1), NONE, Float64Array.of(Number.NaN)),
    ],
    [
      'an update that overflows float32',
      () => applyUpdate(RULES[0]!, Float32Array.of(3e38), NONE, Float64Array.of(3e38)),
    ],
    [
      'a state where the rule keeps none',
      () => applyUpdate(RULES[0]!, Float32Array.of(1), new Uint8Array(8), Float64Array.of(1)),
    ],
    [
      'a state of another length',
      () => applyUpdate(RULES[1]!, Float32Array.of(1), new Uint8Array(7), Float64Array.of(1)),
    ],
    [
      'a learning rate of zero',
      () => applyUpdate({ kind: 'fed-avg', learningRate: 0 }, Float32Array.of(1), NONE, Float64Array.of(1)),
    ],
    [
      'a momentum of one',
      () =>
        applyUpdate({ kind: 'fed-avg-m', learningRate: 1, momentum: 1 }, Float32Array.of(1), NONE, Float64Array.of(1)),
    ],
    [
      'a tau of zero',
      () =>
        applyUpdate(
          { kind: 'fed-adam', learningRate: 1, beta1: 0, beta2: 0, tau: 0 },
          Float32Array.of(1),
          NONE,
          Float64Array.of(1),
        ),
    ],
  ];
  for (const [what, call] of cases)
    it(`refuses ${what}`, () => {
      expect(call).toThrow(expect.objectContaining({ code: 'model/bad-update' }));
    });
});
