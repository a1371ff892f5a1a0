// ReduceMax and ReduceMin: the gradient goes to the elements that reach the extreme.

import { reducedAxes, spread } from './reduction.js';
import { AXES, FLAG, type OperatorRule } from './rule.js';
import { sharedAmongTies } from './ties.js';

function reduceExtreme(operator: string): OperatorRule {
  return {
    operator,
    inputs: [1, 2],
    attributes: { axes: AXES, keepdims: FLAG, noop_with_empty_axes: FLAG },
    steeringInputs: [1],
    backward: (tape, node, dy) => {
      const x = tape.input(node, 0);
      const axes = reducedAxes(tape, node);
      const [gradient, extreme] = [dy, tape.output(node)].map((value) => spread(tape, node, value, axes));
      tape.accumulate(x, sharedAmongTies(tape, gradient ?? dy, x, extreme ?? dy, axes));
    },
  };
}

export const reduceMax = reduceExtreme('ReduceMax');
export const reduceMin = reduceExtreme('ReduceMin');
