// Split: the gradients of the parts are put together again, zeros for a part that nothing depends on.

import { int, numberOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS, type OperatorRule } from './rule.js';

const PARTS_MAX = 1024;

export const split: OperatorRule = {
  operator: 'Split',
  inputs: [1, 2],
  outputsMax: PARTS_MAX,
  attributes: { axis: AXIS, num_outputs: { kind: 'int', min: 1, max: PARTS_MAX } },
  steeringInputs: [1],
  backward: (tape, node) => {
    const x = tape.input(node, 0);
    const axis = frontAxis(numberOf(node, 'axis', 0), tape.shape(x).length);
    const parts = node.outputs.map((part) => tape.gradientOf(part) ?? tape.zeros(tape.shape(part)));
    tape.accumulate(x, tape.emit('Concat', parts, { axis: int(axis) }));
  },
};
