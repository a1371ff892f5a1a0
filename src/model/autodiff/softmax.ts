// Softmax along one axis: p = dy * y, dx = p - y * sum(p).

import { numberOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS } from './rule.js';
import { unary } from './unary.js';

export const softmax = unary(
  'Softmax',
  (tape, { dy, y }, node) => {
    const axis = frontAxis(numberOf(node, 'axis', -1), tape.shape(y).length);
    const weighted = tape.emit('Mul', [dy, y]);
    return tape.emit('Sub', [weighted, tape.emit('Mul', [y, tape.sum(weighted, [axis])])]);
  },
  { axis: AXIS },
);
