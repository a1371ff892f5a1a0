// Softplus: dx = dy * sigmoid(x).

import { unary } from './unary.js';

export const softplus = unary('Softplus', (tape, { dy, x }) => tape.emit('Mul', [dy, tape.emit('Sigmoid', [x])]));
