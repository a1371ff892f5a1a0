// Expand: the gradient is summed over the axes that were repeated.

import type { OperatorRule } from './rule.js';

export const expand: OperatorRule = {
  operator: 'Expand',
  inputs: [2, 2],
  attributes: {},
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    tape.accumulateBroadcast(x, dy, tape.output(node));
  },
};
