// Concat: each part receives its slice of the gradient.

import { numberOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS, type OperatorRule } from './rule.js';

export const concat: OperatorRule = {
  operator: 'Concat',
  inputs: [1, 1024],
  attributes: { axis: AXIS },
  backward: (tape, node, dy) => {
    const axis = frontAxis(numberOf(node, 'axis', 0), tape.shape(tape.output(node)).length);
    let begin = 0;
    for (const part of node.inputs) {
      const end = begin + (tape.shape(part)[axis] ?? 0);
      if (tape.wants(part)) tape.accumulate(part, tape.slice(dy, [begin], [end], [axis]));
      begin = end;
    }
  },
};
