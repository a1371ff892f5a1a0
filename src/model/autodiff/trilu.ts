// Trilu: the gradient of the triangle that is kept.

import { FLAG, type OperatorRule } from './rule.js';

export const trilu: OperatorRule = {
  operator: 'Trilu',
  since: 14,
  inputs: [1, 2],
  attributes: { upper: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const attributes = Object.fromEntries(node.attributes);
    tape.accumulate(tape.input(node, 0), tape.emit('Trilu', [dy, ...node.inputs.slice(1)], attributes));
  },
};
