// The gradient of a maximum or minimum goes to the values that reach it. Several that reach it share it evenly, as PyTorch has it for
// amax, amin, maximum and minimum.

import type { Tape } from './tape.js';

/** dy shared out among the elements of x that equal y; dy and y have x's shape or broadcast to it, ties are counted over `axes`. */
export function sharedAmongTies(tape: Tape, dy: string, x: string, y: string, axes: readonly number[]): string {
  const reached = tape.indicator(tape.emit('Equal', [x, y]));
  return tape.emit('Mul', [reached, tape.emit('Div', [dy, tape.sum(reached, axes)])]);
}
