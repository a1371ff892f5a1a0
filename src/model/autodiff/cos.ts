// Cos: dx = -dy sin(x).

import { unary } from './unary.js';

export const cos = unary('Cos', (tape, { dy, x }) => tape.emit('Neg', [tape.emit('Mul', [dy, tape.emit('Sin', [x])])]));
