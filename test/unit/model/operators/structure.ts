// Operators that move, repeat or gather elements without changing them, and reductions.

import { attributes } from '../../../../src/model/index.js';
import type { NamedCase } from './case.js';

const { int, ints } = attributes;
const P = { p: [2, 3, 4] };

const reduction = (
  operator: string,
  name: string,
  output: number[],
  emit: NamedCase['emit'],
  opset = 17,
): NamedCase => ({
  operator,
  name,
  parameters: P,
  output,
  opset,
  emit,
});

export const STRUCTURE: readonly NamedCase[] = [
  {
    operator: 'Identity',
    name: 'of a computed value',
    parameters: P,
    output: [2, 3, 4],
    emit: (g) => g.emit('Identity', [g.emit('Tanh', ['p'])]),
  },
  ...[0, 1, 2, -1].map(
    (axis): NamedCase => ({
      operator: 'Flatten',
      name: `axis ${axis}`,
      parameters: P,
      output: axis === 0 ? [1, 24] : axis === 1 ? [2, 12] : [6, 4],
      emit: (g) => g.emit('Flatten', ['p'], { axis: int(axis) }),
    }),
  ),
  ...(
    [
      [
        [6, -1],
        [6, 4],
      ],
      [
        [0, 12],
        [2, 12],
      ],
      [[-1], [24]],
    ] as const
  ).map(
    ([target, output]): NamedCase => ({
      operator: 'Reshape',
      name: `to [${target.join()}]`,
      parameters: P,
      output,
      emit: (g) => g.emit('Reshape', ['p', g.ints(target)]),
    }),
  ),
  {
    operator: 'Transpose',
    name: 'by a permutation that is not its own inverse',
    parameters: P,
    output: [4, 2, 3],
    emit: (g) => g.emit('Transpose', ['p'], { perm: ints([2, 0, 1]) }),
  },
  {
    operator: 'Transpose',
    name: 'without a permutation, which reverses the axes',
    parameters: P,
    output: [4, 3, 2],
    emit: (g) => g.emit('Transpose', ['p']),
  },
  {
    operator: 'Squeeze',
    name: 'one of two axes of extent one',
    parameters: { p: [2, 1, 3, 1] },
    output: [2, 3, 1],
    emit: (g) => g.emit('Squeeze', ['p', g.ints([1])]),
  },
  {
    operator: 'Squeeze',
    name: 'all axes of extent one',
    parameters: { p: [2, 1, 3, 1] },
    output: [2, 3],
    emit: (g) => g.emit('Squeeze', ['p']),
  },
  {
    operator: 'Unsqueeze',
    name: 'two axes, one counted from the end',
    parameters: { p: [2, 3] },
    output: [2, 1, 3, 1],
    emit: (g) => g.emit('Unsqueeze', ['p', g.ints([1, -1])]),
  },
  {
    operator: 'Expand',
    name: 'one axis and a new one',
    parameters: { p: [3, 1] },
    output: [2, 3, 4],
    emit: (g) => g.emit('Expand', ['p', g.ints([2, 3, 4])]),
  },
  ...[1, -2].map(
    (axis): NamedCase => ({
      operator: 'Concat',
      name: `three parts along axis ${axis}, one of them twice`,
      parameters: { a: [2, 3, 2], b: [2, 1, 2] },
      output: [2, 7, 2],
      emit: (g) => g.emit('Concat', ['a', 'b', 'a'], { axis: int(axis) }),
    }),
  ),
  reduction('ReduceSum', 'one axis, dropped', [2, 4], (g) =>
    g.emit('ReduceSum', ['p', g.ints([1])], { keepdims: int(0) }),
  ),
  reduction('ReduceSum', 'two axes, kept', [2, 1, 1], (g) => g.emit('ReduceSum', ['p', g.ints([-1, 1])])),
  reduction('ReduceSum', 'all axes', [1, 1, 1], (g) => g.emit('ReduceSum', ['p'])),
  reduction('ReduceSum', 'no axis on purpose', [2, 3, 4], (g) =>
    g.emit('ReduceSum', ['p'], { noop_with_empty_axes: int(1) }),
  ),
  reduction('ReduceMean', 'one axis by attribute', [2, 3], (g) =>
    g.emit('ReduceMean', ['p'], { axes: ints([-1]), keepdims: int(0) }),
  ),
  reduction('ReduceMean', 'two axes by input', [2, 1, 1], (g) => g.emit('ReduceMean', ['p', g.ints([1, 2])]), 18),
  {
    operator: 'GlobalAveragePool',
    name: 'two spatial axes',
    parameters: { p: [2, 3, 4, 5] },
    output: [2, 3, 1, 1],
    emit: (g) => g.emit('GlobalAveragePool', ['p']),
  },
  ...(
    [
      ['a middle part, one bound beyond the end', [1, -3], [3, 100], [0, 1], undefined, [2, 3]],
      ['without axes', [1, 2], [4, 4], undefined, undefined, [3, 2]],
      ['steps, one of them backwards', [3, 0], [-10, 5], [0, 1], [-1, 2], [4, 3]],
    ] as const
  ).map(
    ([name, begins, ends, axes, steps, output]): NamedCase => ({
      operator: 'Slice',
      name,
      parameters: { p: [4, 5] },
      output,
      emit: (g) =>
        g.emit('Slice', [
          'p',
          ...[begins, ends, axes, steps].flatMap((list) => (list === undefined ? [] : [g.ints(list)])),
        ]),
    }),
  ),
  {
    operator: 'Pad',
    name: 'both axes',
    parameters: { p: [2, 3] },
    output: [3, 5],
    emit: (g) => g.emit('Pad', ['p', g.ints([1, 0, 0, 2]), g.scalar(0.5)]),
  },
  {
    operator: 'Pad',
    name: 'one axis counted from the end',
    parameters: { p: [2, 3] },
    output: [2, 6],
    opset: 18,
    emit: (g) => g.emit('Pad', ['p', g.ints([1, 2]), '', g.ints([-1])]),
  },
  ...(
    [
      ['rows, one of them twice', [5, 3], 0, [2, 2, 3]],
      ['columns, one of them twice', [2, 5, 3], 1, [2, 2, 2, 3]],
      ['along the last axis', [2, 3, 5], -1, [2, 3, 2, 2]],
    ] as const
  ).map(
    ([name, shape, axis, output]): NamedCase => ({
      operator: 'Gather',
      name,
      parameters: { p: shape },
      output,
      emit: (g) =>
        g.emit('Gather', ['p', g.constant({ type: 'int64', shape: [2, 2], data: BigInt64Array.of(0n, 2n, 2n, 4n) })], {
          axis: int(axis),
        }),
    }),
  ),
  {
    operator: 'Where',
    name: 'two branches, one broadcast',
    parameters: { a: [2, 3], b: [3] },
    output: [2, 3],
    emit: (g) => g.emit('Where', [g.constant({ type: 'bool', shape: [2, 1], data: Uint8Array.of(1, 0) }), 'a', 'b']),
  },
  {
    operator: 'InstanceNormalization',
    name: 'two spatial axes',
    parameters: { v: [2, 3, 4, 4], scale: [3], bias: [3] },
    output: [2, 3, 4, 4],
    emit: (g) => g.emit('InstanceNormalization', ['v', 'scale', 'bias']),
  },
  {
    operator: 'Split',
    name: 'three parts, the first without use',
    parameters: { p: [2, 6] },
    output: [2, 3],
    emit: (g) => {
      const [, second = '', third = ''] = g.emitMany('Split', ['p', g.ints([1, 2, 3])], 3, { axis: int(1) });
      return g.emit('Add', [third, g.emit('ReduceSum', [second, g.ints([1])])]);
    },
  },
  {
    operator: 'Split',
    name: 'equal parts, by their number',
    parameters: { p: [4, 3] },
    output: [2, 3],
    opset: 18,
    emit: (g) => g.emit('Mul', g.emitMany('Split', ['p'], 2, { num_outputs: int(2) })),
  },
  ...[
    [3, 2, 3, 3],
    [6, 2],
  ].map(
    (shape): NamedCase => ({
      operator: 'BatchNormalization',
      name: `of shape [${shape.join()}], with the statistics of the file`,
      parameters: { v: shape, scale: [2], bias: [2] },
      output: shape,
      emit: (g) => {
        const mean = g.constant({ type: 'float32', shape: [2], data: Float32Array.of(0.3, -0.2) });
        const variance = g.constant({ type: 'float32', shape: [2], data: Float32Array.of(0.5, 2) });
        return g.emit('BatchNormalization', ['v', 'scale', 'bias', mean, variance]);
      },
    }),
  ),
];
