// LeakyRelu: dy where the input is positive, else alpha * dy.

import { numberOf } from '../graph/attribute.js';
import { unary } from './unary.js';

export const leakyRelu = unary(
  'LeakyRelu',
  (tape, { dy, x }, node) => {
    const positive = tape.emit('Greater', [x, tape.builder.scalar(0)]);
    return tape.emit('Where', [positive, dy, tape.scale(dy, numberOf(node, 'alpha', 0.01))]);
  },
  { alpha: { kind: 'float' } },
);
