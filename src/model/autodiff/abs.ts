// Abs: dx = dy * sign(x); zero at zero.

import { unary } from './unary.js';

export const abs = unary('Abs', (tape, { dy, x }) => tape.emit('Mul', [dy, tape.emit('Sign', [x])]));
