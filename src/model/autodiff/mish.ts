// Mish: x tanh(softplus(x)) (Misra 2019). With t = tanh(softplus(x)): dx = dy (t + x (1 - t^2) sigmoid(x)).

import { unary } from './unary.js';

export const mish = unary(
  'Mish',
  (tape, { dy, x }) => {
    const t = tape.emit('Tanh', [tape.emit('Softplus', [x])]);
    const rest = tape.emit('Sub', [tape.builder.scalar(1), tape.emit('Mul', [t, t])]);
    const inner = tape.emit('Mul', [tape.emit('Mul', [x, rest]), tape.emit('Sigmoid', [x])]);
    return tape.emit('Mul', [dy, tape.emit('Add', [t, inner])]);
  },
  {},
  18,
);
