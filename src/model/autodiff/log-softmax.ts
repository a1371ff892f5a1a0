// LogSoftmax along one axis: dx = dy - exp(y) * sum(dy).

import { numberOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { AXIS } from './rule.js';
import { unary } from './unary.js';

export const logSoftmax = unary(
  'LogSoftmax',
  (tape, { dy, y }, node) => {
    const axis = frontAxis(numberOf(node, 'axis', -1), tape.shape(y).length);
    return tape.emit('Sub', [dy, tape.emit('Mul', [tape.emit('Exp', [y]), tape.sum(dy, [axis])])]);
  },
  { axis: AXIS },
);
