// ReduceSum: the gradient reaches every summed element.

import { reducedAxes, spread } from './reduction.js';
import { FLAG, type OperatorRule } from './rule.js';

export const reduceSum: OperatorRule = {
  operator: 'ReduceSum',
  inputs: [1, 2],
  attributes: { keepdims: FLAG, noop_with_empty_axes: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    tape.accumulate(tape.input(node, 0), spread(tape, node, dy, reducedAxes(tape, node)));
  },
};
