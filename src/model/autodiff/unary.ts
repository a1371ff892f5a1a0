// The common form of rules with one input whose gradient has the input's shape.

import type { AttributeBound, OperatorRule } from './rule.js';
import type { GraphNode } from '../graph/types.js';
import type { Tape } from './tape.js';

/** Names of the output's gradient, the input and the output. */
export interface UnaryNames {
  readonly dy: string;
  readonly x: string;
  readonly y: string;
}

export function unary(
  operator: string,
  gradient: (tape: Tape, names: UnaryNames, node: GraphNode) => string,
  attributes: Readonly<Record<string, AttributeBound>> = {},
  since?: number,
): OperatorRule {
  return {
    operator,
    inputs: [1, 1],
    attributes,
    ...(since === undefined ? {} : { since }),
    backward: (tape, node, dy) => {
      const x = tape.input(node, 0);
      tape.accumulate(x, gradient(tape, { dy, x, y: tape.output(node) }, node));
    },
  };
}
