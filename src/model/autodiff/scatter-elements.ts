// ScatterElements: what is written takes the gradient of its place; what was overwritten takes none. With addition both take it.

import { int, numberOf, text, textOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS, type OperatorRule } from './rule.js';

export const scatterElements: OperatorRule = {
  operator: 'ScatterElements',
  inputs: [3, 3],
  attributes: { axis: AXIS, reduction: { kind: 'string', oneOf: ['none', 'add'] } },
  selectingInputs: [1],
  backward: (tape, node, dy) => {
    const [x, indices, updates] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const axis = int(frontAxis(numberOf(node, 'axis', 0), tape.shape(x).length));
    const adds = textOf(node, 'reduction', 'none') === 'add';
    if (tape.wants(x)) {
      const nothing = (): string => tape.zeros(tape.shape(updates));
      const rest = (): string =>
        tape.emit('ScatterElements', [dy, indices, nothing()], { axis, reduction: text('none') });
      tape.accumulate(x, adds ? dy : rest());
    }
    if (tape.wants(updates)) tape.accumulate(updates, tape.emit('GatherElements', [dy, indices], { axis }));
  },
};
