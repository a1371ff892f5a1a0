// Tanh: dx = dy * (1 - y^2).

import { unary } from './unary.js';

export const tanh = unary('Tanh', (tape, { dy, y }) =>
  tape.emit('Mul', [dy, tape.emit('Sub', [tape.builder.scalar(1), tape.emit('Mul', [y, y])])]),
);
