// Sigmoid: dx = dy * y * (1 - y).

import { unary } from './unary.js';

export const sigmoid = unary('Sigmoid', (tape, { dy, y }) =>
  tape.emit('Mul', [dy, tape.emit('Mul', [y, tape.emit('Sub', [tape.builder.scalar(1), y])])]),
);
