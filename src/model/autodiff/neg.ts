// Neg: the gradient changes its sign.

import { unary } from './unary.js';

export const neg = unary('Neg', (tape, { dy }) => tape.emit('Neg', [dy]));
