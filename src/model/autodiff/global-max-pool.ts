// GlobalMaxPool: the gradient goes to the positions that hold the maximum of their channel.

import { sharedAmongTies } from './ties.js';
import { unary } from './unary.js';

export const globalMaxPool = unary('GlobalMaxPool', (tape, { dy, x, y }) => {
  const axes = [...tape.shape(x).keys()].slice(2);
  return sharedAmongTies(tape, dy, x, y, axes);
});
