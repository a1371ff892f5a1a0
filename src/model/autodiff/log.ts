// Log: dx = dy / x.

import { unary } from './unary.js';

export const log = unary('Log', (tape, { dy, x }) => tape.emit('Div', [dy, x]));
