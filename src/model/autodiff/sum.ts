// Sum of any number of operands: each receives the gradient, summed over its broadcast axes.

import type { OperatorRule } from './rule.js';

export const sum: OperatorRule = {
  operator: 'Sum',
  inputs: [1, 1024],
  attributes: {},
  backward: (tape, node, dy) => {
    for (const operand of node.inputs)
      if (tape.wants(operand)) tape.accumulateBroadcast(operand, dy, tape.output(node));
  },
};
