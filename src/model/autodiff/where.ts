// Where: each branch receives the gradient at the places it was taken from.

import type { OperatorRule } from './rule.js';

export const where: OperatorRule = {
  operator: 'Where',
  inputs: [3, 3],
  attributes: {},
  selectingInputs: [0],
  backward: (tape, node, dy) => {
    const [condition, a, b] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const zero = tape.builder.scalar(0);
    const y = tape.output(node);
    if (tape.wants(a)) tape.accumulateBroadcast(a, tape.emit('Where', [condition, dy, zero]), y);
    if (tape.wants(b)) tape.accumulateBroadcast(b, tape.emit('Where', [condition, zero, dy]), y);
  },
};
