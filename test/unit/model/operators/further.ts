// Operators beyond those that every export has: extremes, indices, blocks, sums of products.

import { attributes, type GraphBuilder } from '../../../../src/model/index.js';
import type { AttributeList } from '../../../../src/model/graph/builder.js';
import { distinctValues } from '../../../support/gradient-check.js';
import { unaryCase, type NamedCase } from './case.js';

const { float, int, ints, text } = attributes;

const indices = (g: GraphBuilder, shape: readonly number[], values: readonly number[]): string =>
  g.constant({ type: 'int64', shape, data: BigInt64Array.from(values, BigInt) });

/** One operand `p` and what follows it. */
function of(
  operator: string,
  name: string,
  input: readonly number[],
  output: readonly number[],
  rest: (g: GraphBuilder) => readonly string[] = () => [],
  list: AttributeList = {},
  opset = 17,
): NamedCase {
  const values = distinctValues(input.reduce((a, b) => a * b, 1));
  return {
    operator,
    name,
    parameters: { p: [input, values] },
    output,
    opset,
    emit: (g) => g.emit(operator, ['p', ...rest(g)], list),
  };
}

const einsum = (
  equation: string,
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
): NamedCase => ({
  operator: 'Einsum',
  name: equation,
  parameters: { a, b },
  output,
  emit: (g) => g.emit('Einsum', ['a', 'b'], { equation: text(equation) }),
});

export const FURTHER: readonly NamedCase[] = [
  unaryCase('Selu', distinctValues(12)),
  unaryCase('Selu', distinctValues(12), { alpha: float(0.7), gamma: float(1.3) }),
  // Six times as far apart, so that both edges at -3 and 3 are passed.
  unaryCase(
    'HardSwish',
    distinctValues(12).map((value) => 6 * value),
  ),
  unaryCase('Mish', distinctValues(12), {}, 18),
  unaryCase('Softsign', distinctValues(12)),
  unaryCase('Sin'),
  unaryCase('Cos'),
  ...[[4], [3, 1], [1]].map(
    (slope): NamedCase => ({
      operator: 'PRelu',
      name: `with a slope of shape [${slope.join()}]`,
      parameters: { p: [[2, 3, 4], distinctValues(24)], slope },
      output: [2, 3, 4],
      emit: (g) => g.emit('PRelu', ['p', 'slope']),
    }),
  ),
  ...['ReduceMax', 'ReduceMin'].flatMap((operator) => [
    of(operator, 'over an inner axis, kept', [2, 3, 4], [2, 1, 4], () => [], { axes: ints([1]) }),
    of(
      operator,
      'over two axes, dropped, axes as an input',
      [2, 3, 4],
      [3],
      (g) => [g.ints([0, -1])],
      { keepdims: int(0) },
      18,
    ),
  ]),
  ...['Max', 'Min'].map(
    (operator): NamedCase => ({
      operator,
      name: 'of three operands, two of them broadcast',
      parameters: {
        a: [[2, 3], distinctValues(6)],
        b: [[3], Float32Array.of(0.26, -0.26, 0)],
        c: [[2, 1], Float32Array.of(0.13, -0.4)],
      },
      output: [2, 3],
      emit: (g) => g.emit(operator, ['a', 'b', 'c']),
    }),
  ),
  of('GlobalMaxPool', 'two spatial axes', [2, 2, 3, 3], [2, 2, 1, 1]),
  of('ReduceSumSquare', 'over the last axis', [2, 3], [2, 1], () => [], { axes: ints([-1]) }),
  of('ReduceL2', 'over the first axis', [2, 3], [1, 3], () => [], { axes: ints([0]) }),
  of(
    'GatherElements',
    'along the last axis, repeated and from the end',
    [2, 4],
    [2, 3],
    (g) => [indices(g, [2, 3], [0, 3, 3, -1, 1, 1])],
    { axis: int(-1) },
  ),
  of('GatherND', 'slices, one of them twice', [3, 4], [3, 4], (g) => [indices(g, [3, 1], [2, 0, 2])]),
  of('GatherND', 'single elements', [3, 4], [2], (g) => [indices(g, [2, 2], [0, 1, 2, 3])]),
  ...(['none', 'add'] as const).flatMap((reduction): NamedCase[] => [
    {
      operator: 'ScatterND',
      name: `rows, with reduction ${reduction}`,
      parameters: { data: [4, 3], updates: [2, 3] },
      output: [4, 3],
      opset: 16,
      emit: (g) => g.emit('ScatterND', ['data', indices(g, [2, 1], [3, 1]), 'updates'], { reduction: text(reduction) }),
    },
    {
      operator: 'ScatterElements',
      name: `along the last axis, with reduction ${reduction}`,
      parameters: { data: [2, 4], updates: [2, 2] },
      output: [2, 4],
      opset: 16,
      emit: (g) =>
        g.emit('ScatterElements', ['data', indices(g, [2, 2], [0, 3, 2, 1]), 'updates'], {
          axis: int(1),
          reduction: text(reduction),
        }),
    },
  ]),
  of('Tile', 'two axes', [2, 3], [4, 9], (g) => [g.ints([2, 3])]),
  ...[0, 1].flatMap((exclusive) =>
    [0, 1].map((reverse) =>
      of('CumSum', `exclusive ${exclusive}, reverse ${reverse}`, [2, 4], [2, 4], (g) => [indices(g, [], [1])], {
        exclusive: int(exclusive),
        reverse: int(reverse),
      }),
    ),
  ),
  of('Trilu', 'upper triangle', [3, 4], [3, 4]),
  of('Trilu', 'lower triangle from the second diagonal', [2, 3, 3], [2, 3, 3], (g) => [indices(g, [], [1])], {
    upper: int(0),
  }),
  ...['DCR', 'CRD'].map((mode) =>
    of('DepthToSpace', `mode ${mode}`, [1, 8, 2, 3], [1, 2, 4, 6], () => [], { blocksize: int(2), mode: text(mode) }),
  ),
  of('SpaceToDepth', 'blocks of two', [1, 2, 4, 6], [1, 8, 2, 3], () => [], { blocksize: int(2) }),
  ...(
    [
      [18, 2],
      [21, 6],
    ] as const
  ).map(
    ([opset, count]): NamedCase => ({
      operator: 'GroupNormalization',
      name: `of operator set ${opset}, scale and bias of ${count}`,
      parameters: { v: [2, 6, 3, 2], scale: [count], bias: [count] },
      output: [2, 6, 3, 2],
      opset,
      emit: (g) => g.emit('GroupNormalization', ['v', 'scale', 'bias'], { num_groups: int(2), epsilon: float(1e-3) }),
    }),
  ),
  einsum('ij,jk->ik', [2, 3], [3, 4], [2, 4]),
  einsum('bhid, bhjd -> bhij', [2, 2, 3, 4], [2, 2, 2, 4], [2, 2, 3, 2]),
  einsum('ij,jk', [2, 3], [3, 4], [2, 4]),
  einsum('aij,bj->ab', [2, 3, 4], [3, 4], [2, 3]),
  of('Einsum', 'one operand: ijk->ki', [2, 3, 4], [4, 2], () => [], { equation: text('ijk->ki') }),
];
