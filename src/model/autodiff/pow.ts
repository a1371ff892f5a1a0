// Pow with a constant exponent p: dx = dy * p * x^(p - 1). The exponent is not trained.

import { ModelError } from '../errors.js';
import type { OperatorRule } from './rule.js';

export const pow: OperatorRule = {
  operator: 'Pow',
  inputs: [2, 2],
  attributes: {},
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const [exponent, ...others] = tape.constantNumbers(tape.input(node, 1)) ?? [];
    if (exponent === undefined || others.length > 0)
      throw new ModelError('model/refused', `no gradient for Pow by a tensor of exponents (node ${node.name})`, {
        remedy: 'use one exponent for all elements',
      });
    const power = exponent === 2 ? x : tape.emit('Pow', [x, tape.builder.scalar(exponent - 1)]);
    const gradient = tape.emit('Mul', [dy, tape.scale(power, exponent)]);
    tape.accumulateBroadcast(x, gradient, tape.output(node));
  },
};
