// Clip: dy where the input lies within the limits, the limits included.

import type { OperatorRule } from './rule.js';

export const clip: OperatorRule = {
  operator: 'Clip',
  inputs: [1, 3],
  attributes: {},
  steeringInputs: [1, 2],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const [, low = '', high = ''] = node.inputs;
    let gradient = dy;
    if (low !== '') gradient = tape.emit('Mul', [gradient, tape.indicator(tape.emit('GreaterOrEqual', [x, low]))]);
    if (high !== '') gradient = tape.emit('Mul', [gradient, tape.indicator(tape.emit('LessOrEqual', [x, high]))]);
    tape.accumulate(x, gradient);
  },
};
