// ReduceSumSquare: dx = 2 x dy.

import { reducedAxes, spread } from './reduction.js';
import { AXES, FLAG, type OperatorRule } from './rule.js';

export const reduceSumSquare: OperatorRule = {
  operator: 'ReduceSumSquare',
  inputs: [1, 2],
  attributes: { axes: AXES, keepdims: FLAG, noop_with_empty_axes: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const gradient = spread(tape, node, tape.scale(dy, 2), reducedAxes(tape, node));
    tape.accumulate(x, tape.emit('Mul', [x, gradient]));
  },
};
