// Mul: each operand receives the gradient times the other operand.

import type { OperatorRule } from './rule.js';

export const mul: OperatorRule = {
  operator: 'Mul',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const y = tape.output(node);
    if (tape.wants(a)) tape.accumulateBroadcast(a, tape.emit('Mul', [dy, b]), y);
    if (tape.wants(b)) tape.accumulateBroadcast(b, tape.emit('Mul', [dy, a]), y);
  },
};
