// CumSum: an element counts in every sum that follows it, so its gradient is the cumulative sum from the other end.

import { int, numberOf } from '../graph/attribute.js';
import { FLAG, type OperatorRule } from './rule.js';

export const cumSum: OperatorRule = {
  operator: 'CumSum',
  inputs: [2, 2],
  attributes: { exclusive: FLAG, reverse: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const sums = tape.emit('CumSum', [dy, tape.input(node, 1)], {
      exclusive: int(numberOf(node, 'exclusive', 0)),
      reverse: int(1 - numberOf(node, 'reverse', 0)),
    });
    tape.accumulate(tape.input(node, 0), sums);
  },
};
