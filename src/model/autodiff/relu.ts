// Relu: dy where the output is positive. At zero the gradient is taken as zero.

import { unary } from './unary.js';

export const relu = unary('Relu', (tape, { dy, y }) =>
  tape.emit('Mul', [dy, tape.indicator(tape.emit('Greater', [y, tape.builder.scalar(0)]))]),
);
