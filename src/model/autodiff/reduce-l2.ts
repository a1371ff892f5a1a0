// ReduceL2: y = |x|, dx = dy x / y; at x = 0, where there is no derivative, zero.

import { reducedAxes, spread } from './reduction.js';
import { AXES, FLAG, type OperatorRule } from './rule.js';

/** Smallest normal float32: only an exact zero lies below it. */
const LEAST = 1.1754944e-38;

export const reduceL2: OperatorRule = {
  operator: 'ReduceL2',
  inputs: [1, 2],
  attributes: { axes: AXES, keepdims: FLAG, noop_with_empty_axes: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const length = tape.emit('Max', [tape.output(node), tape.builder.scalar(LEAST)]);
    const share = spread(tape, node, tape.emit('Div', [dy, length]), reducedAxes(tape, node));
    tape.accumulate(x, tape.emit('Mul', [x, share]));
  },
};
