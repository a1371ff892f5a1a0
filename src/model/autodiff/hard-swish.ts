// HardSwish: x clip(x / 6 + 1/2, 0, 1) (Howard et al. 2019). Its derivative is 0 up to -3, 1 from 3 on, and x / 3 + 1/2 between.

import { unary } from './unary.js';

const EDGE = 3;

export const hardSwish = unary(
  'HardSwish',
  (tape, { dy, x }) => {
    const [zero, one] = [tape.builder.scalar(0), tape.builder.scalar(1)];
    const between = tape.emit('Add', [tape.scale(x, 1 / EDGE), tape.builder.scalar(0.5)]);
    const below = tape.emit('LessOrEqual', [x, tape.builder.scalar(-EDGE)]);
    const above = tape.emit('GreaterOrEqual', [x, tape.builder.scalar(EDGE)]);
    const slope = tape.emit('Where', [below, zero, tape.emit('Where', [above, one, between])]);
    return tape.emit('Mul', [dy, slope]);
  },
  {},
  14,
);
