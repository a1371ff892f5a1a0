// Tile: the gradient is summed over the copies.

import type { OperatorRule } from './rule.js';

export const tile: OperatorRule = {
  operator: 'Tile',
  inputs: [2, 2],
  attributes: {},
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const shape = tape.shape(x);
    const output = tape.shape(tape.output(node));
    // Each axis becomes a pair: the copies, and the extent that was copied.
    const pairs = shape.flatMap((extent, axis) => [(output[axis] ?? extent) / extent, extent]);
    const copies = shape.map((_, axis) => 2 * axis);
    tape.accumulate(x, tape.reshape(tape.sum(tape.reshape(dy, pairs), copies), shape));
  },
};
