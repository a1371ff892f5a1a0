// Gelu, exact or by tanh. Exact: y = x * Phi(x), dy/dx = Phi(x) + x * phi(x), with Phi and phi of the normal distribution.

import { textOf } from '../graph/attribute.js';
import type { Tape } from './tape.js';
import { unary, type UnaryNames } from './unary.js';

export const gelu = unary(
  'Gelu',
  (tape, names, node) => (textOf(node, 'approximate', 'none') === 'tanh' ? byTanh(tape, names) : exact(tape, names)),
  { approximate: { kind: 'string', oneOf: ['none', 'tanh'] } },
  20,
);

function exact(tape: Tape, { dy, x }: UnaryNames): string {
  const one = tape.builder.scalar(1);
  const cumulative = tape.scale(tape.emit('Add', [one, tape.emit('Erf', [tape.scale(x, Math.SQRT1_2)])]), 0.5);
  const density = tape.scale(
    tape.emit('Exp', [tape.scale(tape.emit('Mul', [x, x]), -0.5)]),
    1 / Math.sqrt(2 * Math.PI),
  );
  return tape.emit('Mul', [dy, tape.emit('Add', [cumulative, tape.emit('Mul', [x, density])])]);
}

/** y = x / 2 * (1 + t), t = tanh(c * (x + 0.044715 x^3)): dy/dx = (1 + t) / 2 + x / 2 * (1 - t^2) * c * (1 + 3 * 0.044715 x^2). */
function byTanh(tape: Tape, { dy, x }: UnaryNames): string {
  const c = Math.sqrt(2 / Math.PI);
  const one = tape.builder.scalar(1);
  const square = tape.emit('Mul', [x, x]);
  const cubic = tape.emit('Mul', [x, tape.emit('Add', [one, tape.scale(square, 0.044715)])]);
  const t = tape.emit('Tanh', [tape.scale(cubic, c)]);
  const half = tape.scale(tape.emit('Add', [one, t]), 0.5);
  const slope = tape.emit('Mul', [
    tape.emit('Sub', [one, tape.emit('Mul', [t, t])]),
    tape.scale(tape.emit('Add', [one, tape.scale(square, 3 * 0.044715)]), c),
  ]);
  const rest = tape.emit('Mul', [tape.scale(x, 0.5), slope]);
  return tape.emit('Mul', [dy, tape.emit('Add', [half, rest])]);
}
