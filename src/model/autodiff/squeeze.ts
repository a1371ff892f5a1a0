// Squeeze: the gradient takes the input's shape back.

import type { OperatorRule } from './rule.js';

export const squeeze: OperatorRule = {
  operator: 'Squeeze',
  inputs: [1, 2],
  attributes: {},
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    tape.accumulate(x, tape.reshape(dy, tape.shape(x)));
  },
};
