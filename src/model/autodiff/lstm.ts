// LSTM (Hochreiter and Schmidhuber 1997) with the gates i, o, f, c of ONNX: c' = f c + i g, h' = o tanh(c').

import { int } from '../graph/attribute.js';
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
  type Direction,
  type DirectionGradients,
  type Extents,
} from './recurrent.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';
import type { GraphNode } from '../graph/types.js';

/** What each direction keeps for its gradient: sequences of gates, h and c before each step, and tanh(c) after it. */
const KEPT = 4;

export const lstm: OperatorRule = {
  operator: 'LSTM',
  inputs: [3, 8],
  outputsMax: 3,
  attributes: { ...RECURRENT_ATTRIBUTES, input_forget: { kind: 'int', min: 0, max: 0 } },
  steeringInputs: [4],
  refusal: (node) => recurrentRefusal(node, ['Sigmoid', 'Tanh', 'Tanh']),
  train: (tape, node) => {
    const e = extentsOf(tape, node, 4);
    const runs = directionsOf(node).map((_, at) => forward(tape, node, directionOf(tape, node, at, e), e));
    tape.keep(
      node,
      runs.flatMap((run) => run.kept),
    );
    joinOutputs(tape, node, [
      [runs.map((run) => run.y), 1],
      [runs.map((run) => run.h), 0],
      [runs.map((run) => run.c), 0],
    ]);
  },
  backward: (tape, node) => {
    const e = extentsOf(tape, node, 4);
    const kept = tape.kept(node) ?? [];
    const gradients = directionsOf(node).map((_, at) => {
      const direction = directionOf(tape, node, at, e);
      return [direction, backwards(tape, node, at, direction, kept.slice(KEPT * at, KEPT * (at + 1)), e)] as const;
    });
    accumulateDirections(tape, node, e, gradients);
  },
};

function forward(tape: Tape, node: GraphNode, d: Direction, e: Extents) {
  const { hidden: n } = e;
  const bias = tape.emit('Add', [d.wb, d.rb]);
  const [h = '', c = '', y = '', ...kept] = scan(tape, e.batch, {
    states: [
      [d.h0, n],
      [d.c0, n],
    ],
    reads: [[projection(tape, tape.input(node, 0), d, bias, e), 4 * n]],
    writes: [n, 4 * n, n, n, n],
    backwards: d.backwards,
    step: (body, [hBefore = '', cBefore = ''], [projected = '']) => {
      const { mul, add, sigmoid, tanh, parts, join } = arithmetic(body);
      const z = add(projected, body.emit('Gemm', [hBefore, d.r], { transB: int(1) }));
      const [zi = '', zo = '', zf = '', zg = ''] = parts(z, [n, n, n, n]);
      const [i, o, f, g] = [sigmoid(zi), sigmoid(zo), sigmoid(zf), tanh(zg)];
      const cell = add(mul(f, cBefore), mul(i, g));
      const squashed = tanh(cell);
      const out = mul(o, squashed);
      return [out, cell, out, join([i, o, f, g]), hBefore, cBefore, squashed];
    },
  });
  return { h, c, y, kept };
}

function backwards(
  tape: Tape,
  node: GraphNode,
  at: number,
  d: Direction,
  [gates = '', hBefore = '', cBefore = '', squashed = '']: readonly string[],
  e: Extents,
): DirectionGradients {
  const { hidden: n, batch, time } = e;
  const [h0 = '', c0 = '', projected = ''] = scan(tape, batch, {
    states: [
      [outputGradient(tape, node, 1, at, [batch, n]), n],
      [outputGradient(tape, node, 2, at, [batch, n]), n],
    ],
    reads: [
      [outputGradient(tape, node, 0, at, [time, batch, n]), n],
      [gates, 4 * n],
      [cBefore, n],
      [squashed, n],
    ],
    writes: [4 * n],
    backwards: !d.backwards,
    step: (body, [dhAfter = '', dcAfter = ''], [dy = '', gate = '', c = '', t = '']) => {
      const { mul, add, throughSigmoid, throughTanh, parts, join } = arithmetic(body);
      const [i = '', o = '', f = '', g = ''] = parts(gate, [n, n, n, n]);
      const dh = add(dhAfter, dy);
      const dc = add(dcAfter, throughTanh(mul(dh, o), t));
      const dz = join([
        throughSigmoid(mul(dc, g), i),
        throughSigmoid(mul(dh, t), o),
        throughSigmoid(mul(dc, c), f),
        throughTanh(mul(dc, i), g),
      ]);
      return [body.emit('MatMul', [dz, d.r]), mul(dc, f), dz];
    },
  });
  return { projected, r: overTime(tape, e, [projected, 4 * n], [hBefore, n]), h0, c0 };
}
