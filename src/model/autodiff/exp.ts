// Exp: dx = dy * y.

import { unary } from './unary.js';

export const exp = unary('Exp', (tape, { dy, y }) => tape.emit('Mul', [dy, y]));
