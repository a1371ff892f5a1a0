// Sqrt: dx = dy / (2 y).

import { unary } from './unary.js';

export const sqrt = unary('Sqrt', (tape, { dy, y }) => tape.emit('Div', [tape.scale(dy, 0.5), y]));
