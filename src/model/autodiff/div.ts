// Div: y = a / b gives da = dy / b and db = -dy * y / b.

import type { OperatorRule } from './rule.js';

export const div: OperatorRule = {
  operator: 'Div',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const y = tape.output(node);
    const from = tape.shape(y);
    if (tape.wants(a)) tape.accumulate(a, tape.unbroadcast(tape.emit('Div', [dy, b]), from, tape.shape(a)));
    if (tape.wants(b)) {
      const quotient = tape.emit('Div', [tape.emit('Mul', [dy, y]), b]);
      tape.accumulate(b, tape.emit('Neg', [tape.unbroadcast(quotient, from, tape.shape(b))]));
    }
  },
};
