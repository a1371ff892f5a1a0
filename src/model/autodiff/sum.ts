// Sum of any number of operands: each receives the gradient, summed over its broadcast axes.

import type { OperatorRule } from './rule.js';

export const sum: OperatorRule = {
  operator: 'Sum',
  inputs: [1, 1024],
  attributes: {},
  backward: (tape, node, dy) => {
    const from = tape.shape(tape.output(node));
    for (const operand of node.inputs)
      if (tape.wants(operand)) tape.accumulate(operand, tape.unbroadcast(dy, from, tape.shape(operand)));
  },
};
