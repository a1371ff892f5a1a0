// Sub: the gradient reaches the first operand unchanged and the second with its sign turned.

import type { OperatorRule } from './rule.js';

export const sub: OperatorRule = {
  operator: 'Sub',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const from = tape.shape(tape.output(node));
    if (tape.wants(a)) tape.accumulate(a, tape.unbroadcast(dy, from, tape.shape(a)));
    if (tape.wants(b)) tape.accumulate(b, tape.emit('Neg', [tape.unbroadcast(dy, from, tape.shape(b))]));
  },
};
