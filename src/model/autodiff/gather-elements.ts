// GatherElements: each picked element hands its gradient back to where it came from; repeated indices add up.

import { int, numberOf, text } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS, type OperatorRule } from './rule.js';

export const gatherElements: OperatorRule = {
  operator: 'GatherElements',
  inputs: [2, 2],
  attributes: { axis: AXIS },
  selectingInputs: [1],
  backward: (tape, node, dy) => {
    const [x, indices] = [tape.input(node, 0), tape.input(node, 1)];
    const shape = tape.shape(x);
    const axis = frontAxis(numberOf(node, 'axis', 0), shape.length);
    const sums = tape.emit('ScatterElements', [tape.zeros(shape), indices, dy], {
      axis: int(axis),
      reduction: text('add'),
    });
    tape.accumulate(x, sums);
  },
};
