// Sin: dx = dy cos(x).

import { unary } from './unary.js';

export const sin = unary('Sin', (tape, { dy, x }) => tape.emit('Mul', [dy, tape.emit('Cos', [x])]));
