// Div: y = a / b gives da = dy / b and db = -dy * y / b.

import type { OperatorRule } from './rule.js';

export const div: OperatorRule = {
  operator: 'Div',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const y = tape.output(node);
    if (tape.wants(a)) tape.accumulateBroadcast(a, tape.emit('Div', [dy, b]), y);
    if (tape.wants(b)) {
      const quotient = tape.emit('Div', [tape.emit('Mul', [dy, y]), b]);
      tape.accumulateBroadcast(b, tape.emit('Neg', [quotient]), y);
    }
  },
};
