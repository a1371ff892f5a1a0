// Pad with a constant: the gradient of what was there before.

import { frontAxis } from '../graph/types.js';
import type { OperatorRule } from './rule.js';

export const pad: OperatorRule = {
  operator: 'Pad',
  inputs: [2, 4],
  attributes: { mode: { kind: 'string', oneOf: ['constant'] } },
  steeringInputs: [1, 2, 3],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const shape = tape.shape(x);
    const amounts = tape.constantInts(node.inputs[1]) ?? [];
    const axes = (tape.constantInts(node.inputs[3]) ?? [...shape.keys()]).map((axis) => frontAxis(axis, shape.length));
    const begins = amounts.slice(0, axes.length);
    const ends = axes.map((axis, at) => (begins[at] ?? 0) + (shape[axis] ?? 0));
    tape.accumulate(x, tape.slice(dy, begins, ends, axes));
  },
};
