// GlobalAveragePool: the gradient of each channel is spread evenly over its positions.

import { elementCount } from '../graph/types.js';
import { unary } from './unary.js';

export const globalAveragePool = unary('GlobalAveragePool', (tape, { dy, x }) => {
  const shape = tape.shape(x);
  return tape.expand(tape.scale(dy, 1 / elementCount(shape.slice(2))), shape);
});
