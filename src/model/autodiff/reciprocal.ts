// Reciprocal: dx = -dy * y^2.

import { unary } from './unary.js';

export const reciprocal = unary('Reciprocal', (tape, { dy, y }) =>
  tape.emit('Neg', [tape.emit('Mul', [dy, tape.emit('Mul', [y, y])])]),
);
