// Operators of two or more operands: broadcasting, and products of matrices.

import { attributes, elementCount, float32 } from '../../../../src/model/index.js';
import { seededFloats } from '../../../support/onnx-models.js';
import type { NamedCase } from './case.js';

const { int, float, ints } = attributes;

/** Divisors, well away from zero. */
const away = (length: number): Float32Array => seededFloats(length, 5, 0.3).map((value) => value + 1.2);

const BROADCAST = [
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3], [2, 3]],
  [
    [4, 2, 3],
    [2, 1],
    [4, 2, 3],
  ],
  [[1], [4, 3], [4, 3]],
  [
    [2, 1, 3],
    [4, 1],
    [2, 4, 3],
  ],
] as const;

const MATRICES = [
  [
    [3, 4],
    [4, 5],
    [3, 5],
  ],
  [
    [2, 3, 4],
    [4, 5],
    [2, 3, 5],
  ],
  [
    [2, 2, 3, 4],
    [2, 2, 4, 3],
    [2, 2, 3, 3],
  ],
  [
    [2, 1, 3, 4],
    [5, 4, 2],
    [2, 5, 3, 2],
  ],
  [
    [3, 4],
    [2, 4, 5],
    [2, 3, 5],
  ],
] as const;

const CONSTANTS: Record<string, Parameters<Parameters<NamedCase['emit']>[0]['emit']>[2]> = {
  value: { value: { kind: 'tensor', value: float32([3], [0.5, -1, 2]) } },
  value_float: { value_float: float(0.75) },
  value_floats: { value_floats: { kind: 'floats', value: [0.5, -1, 2] } },
};

export const ARITHMETIC: readonly NamedCase[] = [
  ...['Add', 'Sub', 'Mul', 'Div'].flatMap((operator) =>
    BROADCAST.map(
      ([a, b, output]): NamedCase => ({
        operator,
        name: `[${a.join()}] with [${b.join()}]`,
        parameters: { a, b: operator === 'Div' ? [b, away(elementCount(b))] : b },
        output,
        emit: (g) => g.emit(operator, ['a', 'b']),
      }),
    ),
  ),
  {
    operator: 'Mul',
    name: 'a value times itself',
    parameters: { a: [2, 3] },
    output: [2, 3],
    emit: (g) => g.emit('Mul', ['a', 'a']),
  },
  {
    operator: 'Add',
    name: 'two paths from one value meet again',
    parameters: { p: [2, 3] },
    output: [2, 3],
    emit: (g) => g.emit('Add', [g.emit('Tanh', ['p']), g.emit('Mul', ['p', g.emit('Sigmoid', ['p'])])]),
  },
  {
    operator: 'Sum',
    name: 'three operands, two of them broadcast',
    parameters: { a: [2, 3], b: [3], c: [2, 1] },
    output: [2, 3],
    emit: (g) => g.emit('Sum', ['a', 'b', 'c']),
  },
  ...MATRICES.map(
    ([a, b, output]): NamedCase => ({
      operator: 'MatMul',
      name: `[${a.join()}] with [${b.join()}]`,
      parameters: { a, b },
      output,
      emit: (g) => g.emit('MatMul', ['a', 'b']),
    }),
  ),
  ...[0, 1].flatMap((transA) =>
    [0, 1].flatMap((transB) =>
      [[5], [3, 1], [3, 5], [1]].map(
        (c): NamedCase => ({
          operator: 'Gemm',
          name: `transA ${transA}, transB ${transB}, C [${c.join()}], alpha 0.5, beta 2`,
          parameters: { a: transA ? [4, 3] : [3, 4], b: transB ? [5, 4] : [4, 5], c },
          output: [3, 5],
          emit: (g) =>
            g.emit('Gemm', ['a', 'b', 'c'], {
              transA: int(transA),
              transB: int(transB),
              alpha: float(0.5),
              beta: float(2),
            }),
        }),
      ),
    ),
  ),
  {
    operator: 'Gemm',
    name: 'without C',
    parameters: { a: [3, 4], b: [4, 5] },
    output: [3, 5],
    emit: (g) => g.emit('Gemm', ['a', 'b']),
  },
  ...Object.entries(CONSTANTS).map(
    ([form, list]): NamedCase => ({
      operator: 'Constant',
      name: `as ${form}`,
      parameters: { p: [2, 3] },
      output: [2, 3],
      emit: (g) => g.emit('Mul', ['p', g.emit('Constant', [], list)]),
    }),
  ),
  {
    operator: 'Constant',
    name: 'as value_ints of a Reshape',
    parameters: { p: [2, 3] },
    output: [3, 2],
    emit: (g) => g.emit('Reshape', ['p', g.emit('Constant', [], { value_ints: ints([3, -1]) })]),
  },
  {
    operator: 'Constant',
    name: 'as value_float of an exponent',
    parameters: { p: [[4], away(4)] },
    output: [4],
    emit: (g) => g.emit('Pow', ['p', g.emit('Constant', [], { value_float: float(3) })]),
  },
];
