// Unsqueeze: the gradient takes the input's shape back.

import type { OperatorRule } from './rule.js';

export const unsqueeze: OperatorRule = {
  operator: 'Unsqueeze',
  inputs: [2, 2],
  attributes: {},
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    tape.accumulate(x, tape.reshape(dy, tape.shape(x)));
  },
};
