// Reshape: the gradient takes the input's shape back, whatever -1, 0 and allowzero made of the new one.

import { FLAG, type OperatorRule } from './rule.js';

export const reshape: OperatorRule = {
  operator: 'Reshape',
  inputs: [2, 2],
  attributes: { allowzero: FLAG },
  steeringInputs: [1],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    tape.accumulate(x, tape.reshape(dy, tape.shape(x)));
  },
};
