// Mul: each operand receives the gradient times the other operand.

import type { OperatorRule } from './rule.js';

export const mul: OperatorRule = {
  operator: 'Mul',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const from = tape.shape(tape.output(node));
    if (tape.wants(a)) tape.accumulate(a, tape.unbroadcast(tape.emit('Mul', [dy, b]), from, tape.shape(a)));
    if (tape.wants(b)) tape.accumulate(b, tape.unbroadcast(tape.emit('Mul', [dy, a]), from, tape.shape(b)));
  },
};
