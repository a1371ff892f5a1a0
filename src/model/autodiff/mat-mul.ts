// MatMul: [.., m, k] x [.., k, n] -> [.., m, n] with broadcast leading axes. da = dy b^T, db = a^T dy, over matrices.

import { int } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import { ModelError } from '../errors.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';

interface Operands {
  readonly a: string;
  readonly b: string;
  readonly y: string;
  readonly dy: string;
}

export const matMul: OperatorRule = {
  operator: 'MatMul',
  inputs: [2, 2],
  attributes: {},
  backward: (tape, node, dy) => {
    const [a, b] = [tape.input(node, 0), tape.input(node, 1)];
    const operands = { a, b, y: tape.output(node), dy };
    if (tape.shape(a).length < 2 || tape.shape(b).length < 2)
      throw new ModelError('model/refused', `no gradient for MatMul of a vector (node ${node.name})`, {
        remedy: 'give both operands of the MatMul at least two axes',
      });
    if (tape.shape(b).length === 2) sharedMatrix(tape, operands);
    else batched(tape, operands);
  },
};

/** b is one matrix [k, n] for the whole batch: flattening the batch makes each gradient one Gemm. */
function sharedMatrix(tape: Tape, { a, b, dy }: Operands): void {
  const shape = tape.shape(a);
  const [inner, columns] = [tape.shape(b)[0] ?? 1, tape.shape(b)[1] ?? 1];
  const rows = elementCount(shape) / inner;
  const flat = shape.length === 2 ? dy : tape.reshape(dy, [rows, columns]);
  if (tape.wants(a)) {
    const gradient = tape.emit('Gemm', [flat, b], { transB: int(1) });
    tape.accumulate(a, shape.length === 2 ? gradient : tape.reshape(gradient, shape));
  }
  if (!tape.wants(b)) return;
  if (tape.keepsRecords(b)) {
    tape.records?.addProduct(tape, b, { input: a, delta: dy });
    return;
  }
  const matrix = shape.length === 2 ? a : tape.reshape(a, [rows, inner]);
  tape.accumulate(b, tape.emit('Gemm', [matrix, flat], { transA: int(1) }));
}

function batched(tape: Tape, { a, b, y, dy }: Operands): void {
  const [shapeA, shapeB, shapeY] = [tape.shape(a), tape.shape(b), tape.shape(y)];
  const leading = shapeY.slice(0, -2);
  if (tape.wants(a)) {
    const gradient = tape.emit('MatMul', [dy, tape.transpose(b, lastTwoSwapped(shapeB.length))]);
    tape.accumulate(a, tape.unbroadcast(gradient, [...leading, ...shapeA.slice(-2)], shapeA));
  }
  if (tape.wants(b)) {
    const gradient = tape.emit('MatMul', [tape.transpose(a, lastTwoSwapped(shapeA.length)), dy]);
    tape.accumulate(b, tape.unbroadcast(gradient, [...leading, ...shapeB.slice(-2)], shapeB));
  }
}

function lastTwoSwapped(rank: number): number[] {
  return [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2];
}
