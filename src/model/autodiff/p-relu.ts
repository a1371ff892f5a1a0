// PRelu: x above zero, slope x below, the slope trained and broadcast to x (He et al. 2015).

import type { OperatorRule } from './rule.js';

export const pRelu: OperatorRule = {
  operator: 'PRelu',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [x, slope] = [tape.input(node, 0), tape.input(node, 1)];
    const zero = tape.builder.scalar(0);
    if (tape.wants(x)) {
      const factor = tape.emit('Where', [tape.emit('GreaterOrEqual', [x, zero]), tape.builder.scalar(1), slope]);
      tape.accumulate(x, tape.emit('Mul', [dy, factor]));
    }
    if (tape.wants(slope)) {
      const gradient = tape.emit('Mul', [dy, tape.emit('Min', [x, zero])]);
      tape.accumulateBroadcast(slope, gradient, x);
    }
  },
};
