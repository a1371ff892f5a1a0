// Sub: the gradient reaches the first operand unchanged and the second with its sign turned.

import type { OperatorRule } from './rule.js';

export const sub: OperatorRule = {
  operator: 'Sub',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const y = tape.output(node);
    if (tape.wants(a)) tape.accumulateBroadcast(a, dy, y);
    if (tape.wants(b)) tape.accumulateBroadcast(b, tape.emit('Neg', [dy]), y);
  },
};
