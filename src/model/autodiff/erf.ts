// Erf: dx = dy * 2 / sqrt(pi) * exp(-x^2).

import { unary } from './unary.js';

export const erf = unary('Erf', (tape, { dy, x }) => {
  const bell = tape.emit('Exp', [tape.emit('Neg', [tape.emit('Mul', [x, x])])]);
  return tape.emit('Mul', [dy, tape.scale(bell, 2 / Math.sqrt(Math.PI))]);
});
