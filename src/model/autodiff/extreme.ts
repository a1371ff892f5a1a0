// Max and Min of several operands with broadcasting: the gradient goes to the operands that reach the extreme.

import type { OperatorRule } from './rule.js';

const OPERANDS_MAX = 64;

function extreme(operator: string): OperatorRule {
  return {
    operator,
    inputs: [1, OPERANDS_MAX],
    attributes: {},
    backward: (tape, node, dy) => {
      const y = tape.output(node);
      const reached = node.inputs.map((x) => tape.indicator(tape.emit('Equal', [x, y])));
      const count = reached.length === 1 ? undefined : tape.emit('Sum', reached);
      const share = count === undefined ? dy : tape.emit('Div', [dy, count]);
      for (const [at, x] of node.inputs.entries())
        if (tape.wants(x)) tape.accumulateBroadcast(x, tape.emit('Mul', [share, reached[at] ?? share]), y);
    },
  };
}

export const max = extreme('Max');
export const min = extreme('Min');
