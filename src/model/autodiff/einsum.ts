// Einsum of one or two operands. The gradient of an operand is an Einsum of dy and the other operand; letters of its own, which were
// summed away, are repeated. Refused: an ellipsis, and a letter twice in one operand.

import { text, textOf } from '../graph/attribute.js';
import { defined } from '../../base/index.js';
import type { GraphNode } from '../graph/types.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';

interface Equation {
  readonly operands: readonly string[];
  readonly result: string;
}

const EQUATION_MAX = 64;
const FORM = /^([A-Za-z]*)(?:,([A-Za-z]*))?(?:->([A-Za-z]*))?$/u;

export const einsum: OperatorRule = {
  operator: 'Einsum',
  inputs: [1, 2],
  attributes: { equation: { kind: 'text', max: EQUATION_MAX } },
  refusal: (node) => {
    const equation = parse(textOf(node, 'equation', ''));
    return equation?.operands.length === node.inputs.length
      ? undefined
      : 'Einsum needs one or two operands, without an ellipsis and without a letter twice in one of them';
  },
  backward: (tape, node, dy) => {
    const equation = defined(parse(textOf(node, 'equation', '')), 'a checked equation');
    for (const at of node.inputs.keys()) {
      const x = tape.input(node, at);
      if (tape.wants(x)) tape.accumulate(x, operandGradient(tape, node, equation, at, dy));
    }
  },
};

function parse(equation: string): Equation | undefined {
  const [whole, first, second, result] = FORM.exec(equation.replaceAll(' ', '')) ?? [];
  if (whole === undefined || first === undefined) return undefined;
  const operands = second === undefined ? [first] : [first, second];
  if ([...operands, result ?? ''].some((letters) => new Set(letters).size < letters.length)) return undefined;
  if (result !== undefined) return { operands, result };
  // Without an arrow: the letters that occur once, in the order of the alphabet.
  const all = operands.join('');
  const once = Array.from(all).filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter));
  return { operands, result: once.sort().join('') };
}

function operandGradient(tape: Tape, node: GraphNode, { operands, result }: Equation, at: number, dy: string): string {
  const own = operands[at] ?? '';
  const shape = tape.shape(tape.input(node, at));
  const others = [...operands.keys()].filter((position) => position !== at);
  const known = [result, ...others.map((position) => operands[position] ?? '')];
  const found = Array.from(own)
    .filter((letter) => known.join('').includes(letter))
    .join('');
  const value = tape.emit('Einsum', [dy, ...others.map((position) => tape.input(node, position))], {
    equation: text(`${known.join(',')}->${found}`),
  });
  if (found === own) return value;
  const kept = Array.from(own).map((letter, axis) => (found.includes(letter) ? (shape[axis] ?? 1) : 1));
  return tape.expand(tape.reshape(value, kept), shape);
}
