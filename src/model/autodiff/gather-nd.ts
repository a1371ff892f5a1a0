// GatherND: each picked slice hands its gradient back to where it came from; repeated indices add up.

import { text } from '../graph/attribute.js';
import type { OperatorRule } from './rule.js';

export const gatherNd: OperatorRule = {
  operator: 'GatherND',
  inputs: [2, 2],
  attributes: { batch_dims: { kind: 'int', min: 0, max: 0 } },
  selectingInputs: [1],
  backward: (tape, node, dy) => {
    const [x, indices] = [tape.input(node, 0), tape.input(node, 1)];
    const sums = tape.emit('ScatterND', [tape.zeros(tape.shape(x)), indices, dy], { reduction: text('add') });
    tape.accumulate(x, sums);
  },
};
