// Softsign: x / (1 + |x|); dx = dy / (1 + |x|)^2.

import { unary } from './unary.js';

export const softsign = unary('Softsign', (tape, { dy, x }) => {
  const below = tape.emit('Add', [tape.builder.scalar(1), tape.emit('Abs', [x])]);
  return tape.emit('Div', [dy, tape.emit('Mul', [below, below])]);
});
