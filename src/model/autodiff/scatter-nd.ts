// ScatterND: what is written takes the gradient of its place; what was overwritten takes none. With addition both take it.

import { text, textOf } from '../graph/attribute.js';
import type { OperatorRule } from './rule.js';

export const scatterNd: OperatorRule = {
  operator: 'ScatterND',
  inputs: [3, 3],
  attributes: { reduction: { kind: 'string', oneOf: ['none', 'add'] } },
  selectingInputs: [1],
  backward: (tape, node, dy) => {
    const [x, indices, updates] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const adds = textOf(node, 'reduction', 'none') === 'add';
    if (tape.wants(x)) {
      const nothing = (): string => tape.zeros(tape.shape(updates));
      tape.accumulate(x, adds ? dy : tape.emit('ScatterND', [dy, indices, nothing()], { reduction: text('none') }));
    }
    if (tape.wants(updates)) tape.accumulate(updates, tape.emit('GatherND', [dy, indices]));
  },
};
