// GRU (Cho et al. 2014) with the gates z, r, n of ONNX: h' = (1 - z) n + z h. With linear_before_reset = 1, as PyTorch and Keras have it,
// n = tanh(x W + r (h R + b)); with 0, as the paper has it, n = tanh(x W + (r h) R + b).

import { int, numberOf } from '../graph/attribute.js';
import { FLAG, type OperatorRule } from './rule.js';
import {
  accumulateDirections,
  arithmetic,
  directionOf,
  directionsOf,
  extentsOf,
  joinOutputs,
  outputGradient,
  overTime,
  projection,
  RECURRENT_ATTRIBUTES,
  recurrentRefusal,
  scan,
  sumOverTime,
  type Direction,
  type DirectionGradients,
  type Extents,
} from './recurrent.js';
import type { Tape } from './tape.js';
import type { GraphNode } from '../graph/types.js';

/** What each direction keeps: sequences of z, r, n; of h before each step; and of n's recurrent part: h R + b, or r h. */
const KEPT = 3;

export const gru: OperatorRule = {
  operator: 'GRU',
  inputs: [3, 6],
  outputsMax: 2,
  attributes: { ...RECURRENT_ATTRIBUTES, linear_before_reset: FLAG },
  steeringInputs: [4],
  refusal: (node) => recurrentRefusal(node, ['Sigmoid', 'Tanh']),
  train: (tape, node) => {
    const e = extentsOf(tape, node, 3);
    const runs = directionsOf(node).map((_, at) => forward(tape, node, directionOf(tape, node, at, e), e));
    tape.keep(
      node,
      runs.flatMap((run) => run.kept),
    );
    joinOutputs(tape, node, [
      [runs.map((run) => run.y), 1],
      [runs.map((run) => run.h), 0],
    ]);
  },
  backward: (tape, node) => {
    const e = extentsOf(tape, node, 3);
    const kept = tape.kept(node) ?? [];
    const gradients = directionsOf(node).map((_, at) => {
      const direction = directionOf(tape, node, at, e);
      return [direction, backwards(tape, node, at, direction, kept.slice(KEPT * at, KEPT * (at + 1)), e)] as const;
    });
    accumulateDirections(tape, node, e, gradients);
  },
};

const linearBeforeReset = (node: GraphNode): boolean => numberOf(node, 'linear_before_reset', 0) === 1;

/** The rows of R that belong to z and r, and those that belong to n. */
function split(tape: Tape, r: string, n: number): readonly [string, string] {
  return [tape.slice(r, [0], [2 * n], [0]), tape.slice(r, [2 * n], [3 * n], [0])];
}

function forward(tape: Tape, node: GraphNode, d: Direction, e: Extents) {
  const { hidden: n } = e;
  const linear = linearBeforeReset(node);
  const [zrMatrix, nMatrix] = split(tape, d.r, n);
  // Only the reset gate's product needs the recurrent bias by itself.
  const bias = linear ? d.wb : tape.emit('Add', [d.wb, d.rb]);
  const [h = '', y = '', ...kept] = scan(tape, e.batch, {
    states: [[d.h0, n]],
    reads: [[projection(tape, tape.input(node, 0), d, bias, e), 3 * n]],
    writes: [n, 3 * n, n, n],
    backwards: d.backwards,
    step: (body, [hBefore = ''], [projected = '']) => {
      const { mul, add, sub, sigmoid, tanh, parts, join } = arithmetic(body);
      const [pz = '', pr = '', pn = ''] = parts(projected, [n, n, n]);
      const product = linear
        ? body.emit('Gemm', [hBefore, d.r, d.rb], { transB: int(1) })
        : body.emit('Gemm', [hBefore, zrMatrix], { transB: int(1) });
      const [qz = '', qr = '', qn = ''] = parts(product, linear ? [n, n, n] : [n, n]);
      const [z, r] = [sigmoid(add(pz, qz)), sigmoid(add(pr, qr))];
      const recurrent = linear ? qn : mul(r, hBefore);
      const added = linear ? mul(r, qn) : body.emit('Gemm', [recurrent, nMatrix], { transB: int(1) });
      const fresh = tanh(add(pn, added));
      const out = add(fresh, mul(z, sub(hBefore, fresh)));
      return [out, out, join([z, r, fresh]), hBefore, recurrent];
    },
  });
  return { h, y, kept };
}

function backwards(
  tape: Tape,
  node: GraphNode,
  at: number,
  d: Direction,
  [gates = '', hBefore = '', recurrent = '']: readonly string[],
  e: Extents,
): DirectionGradients {
  const { hidden: n, batch, time } = e;
  const linear = linearBeforeReset(node);
  const [zrMatrix, nMatrix] = split(tape, d.r, n);
  const [h0 = '', projected = '', product = ''] = scan(tape, batch, {
    states: [[outputGradient(tape, node, 1, at, [batch, n]), n]],
    reads: [
      [outputGradient(tape, node, 0, at, [time, batch, n]), n],
      [gates, 3 * n],
      [hBefore, n],
      [recurrent, n],
    ],
    writes: linear ? [3 * n, 3 * n] : [3 * n],
    backwards: !d.backwards,
    step: (body, [dhAfter = ''], [dy = '', gate = '', h = '', part = '']) => {
      const { mul, add, sub, not, throughSigmoid, throughTanh, parts, join } = arithmetic(body);
      const [z = '', r = '', fresh = ''] = parts(gate, [n, n, n]);
      const dh = add(dhAfter, dy);
      const dz = throughSigmoid(mul(dh, sub(h, fresh)), z);
      const dn = throughTanh(mul(dh, not(z)), fresh);
      const kept = mul(dh, z);
      if (linear) {
        const dr = throughSigmoid(mul(dn, part), r);
        const back = join([dz, dr, mul(dn, r)]);
        return [add(kept, body.emit('MatMul', [back, d.r])), join([dz, dr, dn]), back];
      }
      const dReset = body.emit('MatMul', [dn, nMatrix]);
      const dr = throughSigmoid(mul(dReset, h), r);
      const through = add(body.emit('MatMul', [join([dz, dr]), zrMatrix]), mul(dReset, r));
      return [add(kept, through), join([dz, dr, dn])];
    },
  });
  if (linear) {
    const r = overTime(tape, e, [product, 3 * n], [hBefore, n]);
    return { projected, r, rb: sumOverTime(tape, e, product, 3 * n), h0 };
  }
  const zr = overTime(tape, e, [tape.slice(projected, [0], [2 * n], [2]), 2 * n], [hBefore, n]);
  const fresh = overTime(tape, e, [tape.slice(projected, [2 * n], [3 * n], [2]), n], [recurrent, n]);
  const axis = int(tape.records === undefined ? 0 : 1);
  return { projected, r: tape.emit('Concat', [zr, fresh], { axis }), h0 };
}
