// Elu: dy where the input is positive, else dy * (y + alpha), since y = alpha * (exp(x) - 1) there.

import { numberOf } from '../graph/attribute.js';
import { unary } from './unary.js';

export const elu = unary(
  'Elu',
  (tape, { dy, x, y }, node) => {
    const positive = tape.emit('Greater', [x, tape.builder.scalar(0)]);
    const slope = tape.emit('Add', [y, tape.builder.scalar(numberOf(node, 'alpha', 1))]);
    return tape.emit('Where', [positive, dy, tape.emit('Mul', [dy, slope])]);
  },
  { alpha: { kind: 'float' } },
);
