// HardSigmoid: y = clip(alpha * x + beta, 0, 1), so dx = alpha * dy strictly between the limits.

import { numberOf } from '../graph/attribute.js';
import { unary } from './unary.js';

export const hardSigmoid = unary(
  'HardSigmoid',
  (tape, { dy, y }, node) => {
    const above = tape.emit('Greater', [y, tape.builder.scalar(0)]);
    const below = tape.emit('Less', [y, tape.builder.scalar(1)]);
    const inside = tape.indicator(tape.emit('And', [above, below]));
    return tape.emit('Mul', [tape.scale(dy, numberOf(node, 'alpha', 0.2)), inside]);
  },
  { alpha: { kind: 'float' }, beta: { kind: 'float' } },
);
