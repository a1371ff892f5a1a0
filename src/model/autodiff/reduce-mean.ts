// ReduceMean: the gradient reaches every averaged element, divided by their number.

import { reducedAxes, spread } from './reduction.js';
import { AXES, FLAG, type OperatorRule } from './rule.js';

export const reduceMean: OperatorRule = {
  operator: 'ReduceMean',
  inputs: [1, 2],
  attributes: { axes: AXES, keepdims: FLAG, noop_with_empty_axes: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const axes = reducedAxes(tape, node);
    const averaged = axes.reduce((count, axis) => count * (tape.shape(x)[axis] ?? 1), 1);
    tape.accumulate(x, spread(tape, node, tape.scale(dy, 1 / averaged), axes));
  },
};
