// Add: the gradient reaches both operands unchanged, summed over broadcast axes.

import type { OperatorRule } from './rule.js';

export const add: OperatorRule = {
  operator: 'Add',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    for (const operand of node.inputs)
      if (tape.wants(operand)) tape.accumulateBroadcast(operand, dy, tape.output(node));
  },
};
