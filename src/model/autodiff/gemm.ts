// Gemm: y = alpha * A' B' + beta * C, where ' is the optional transposition. Each gradient is again one Gemm.

import { float, int, numberOf } from '../graph/attribute.js';
import { FLAG, type OperatorRule } from './rule.js';

export const gemm: OperatorRule = {
  operator: 'Gemm',
  inputs: [2, 3],
  attributes: { alpha: { kind: 'float' }, beta: { kind: 'float' }, transA: FLAG, transB: FLAG },
  backward: (tape, node, dy) => {
    const [a, b, c] = [tape.input(node, 0), tape.input(node, 1), node.inputs[2]];
    const transA = numberOf(node, 'transA', 0);
    const transB = numberOf(node, 'transB', 0);
    const alpha = float(numberOf(node, 'alpha', 1));
    if (tape.wants(a)) {
      // dA' = dy B'^T; where A went in transposed, its gradient is B' dy^T.
      const gradient =
        transA === 1
          ? tape.emit('Gemm', [b, dy], { alpha, transA: int(transB), transB: int(1) })
          : tape.emit('Gemm', [dy, b], { alpha, transB: int(1 - transB) });
      tape.accumulate(a, gradient);
    }
    if (tape.wants(b)) {
      if (tape.keepsRecords(b) && transA === 0)
        tape.records?.addProduct(tape, b, {
          input: a,
          delta: dy,
          transposed: transB === 1,
          factor: numberOf(node, 'alpha', 1),
        });
      else {
        const gradient =
          transB === 1
            ? tape.emit('Gemm', [dy, a], { alpha, transA: int(1), transB: int(transA) })
            : tape.emit('Gemm', [a, dy], { alpha, transA: int(1 - transA) });
        tape.accumulate(b, gradient);
      }
    }
    if (c !== undefined && c !== '' && tape.wants(c)) {
      tape.accumulateBroadcast(c, tape.scale(dy, numberOf(node, 'beta', 1)), tape.output(node));
    }
  },
};
