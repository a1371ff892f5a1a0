// Every gradient rule against central differences, and a planted wrong rule that the comparison must catch. The cases are in operators/.

import { describe, expect, it } from 'vitest';
import { RULES, type GraphBuilder } from '../../../src/model/index.js';
import { expectGradient, gradientError, operatorModel, projection } from '../../support/gradient-check.js';
import { ACTIVATION } from './operators/activation.js';
import { ARITHMETIC } from './operators/arithmetic.js';
import { CONVOLUTION } from './operators/convolution.js';
import { FURTHER } from './operators/further.js';
import { RECURRENT } from './operators/recurrent.js';
import { STRUCTURE } from './operators/structure.js';
import { TRAINING } from './operators/training.js';
import { UPWARD } from './operators/upward.js';
import { WITHOUT_GRADIENT } from './operators/without-gradient.js';

const CASES = [
  ...ARITHMETIC,
  ...ACTIVATION,
  ...STRUCTURE,
  ...CONVOLUTION,
  ...FURTHER,
  ...RECURRENT,
  ...TRAINING,
  ...UPWARD,
  ...WITHOUT_GRADIENT,
];

describe('gradients agree with finite differences', () => {
  for (const entry of CASES) it(`${entry.operator}: ${entry.name}`, () => expectGradient(entry));

  it('for every rule', () => {
    const covered = new Set(CASES.map(({ operator }) => operator));
    expect([...RULES.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
  });
});

describe('the comparison itself', () => {
  const bytes = operatorModel({ parameters: { p: [2, 3] }, output: [2, 3], emit: (b) => b.emit('Tanh', ['p']) });

  it('catches a gradient that is wrong by a factor', async () => {
    const halved = {
      ...projection,
      rowGradient: (b: GraphBuilder, _: unknown, t: string) => b.emit('Mul', [t, b.scalar(0.5)]),
    };
    expect(await gradientError(bytes, [2, 3], halved)).toBeGreaterThan(0.1);
  });

  it('catches a gradient that is wrong by one part in a hundred', async () => {
    const shifted = {
      ...projection,
      rowGradient: (b: GraphBuilder, _: unknown, t: string) => b.emit('Mul', [t, b.scalar(1.01)]),
    };
    expect(await gradientError(bytes, [2, 3], shifted)).toBeGreaterThan(3e-3);
  });
});
