// Every gradient rule against central differences, and a planted wrong rule that the comparison must catch.

import { describe, expect, it } from 'vitest';
import { attributes, elementCount, float32, RULES, type GraphBuilder } from '../../../src/model/index.js';
import {
  distinctValues,
  expectGradient,
  gradientError,
  operatorModel,
  projection,
  type OperatorCase,
} from '../../support/gradient-check.js';
import { seededFloats } from '../../support/onnx-models.js';

const { int, float } = attributes;
const covered = new Set<string>();

function check(operator: string, name: string, operatorCase: OperatorCase): void {
  covered.add(operator);
  it(`${operator}: ${name}`, () => expectGradient(operatorCase));
}

/** One case for an operator of one input. */
function checkUnary(operator: string, values?: Float32Array, attributeList = {}, opset = 17): void {
  const shape = values === undefined ? [3, 4] : [values.length];
  check(operator, 'gradient of its input', {
    parameters: { p: values === undefined ? shape : [shape, values] },
    output: shape,
    opset,
    emit: (b) => b.emit(operator, ['p'], attributeList),
  });
}

describe('gradients agree with finite differences', () => {
  for (const operator of ['Sigmoid', 'Tanh']) checkUnary(operator);
  checkUnary('Relu', distinctValues(12));

  const away = (length: number): Float32Array => seededFloats(length, 5, 0.3).map((v) => v + 1.2);
  for (const operator of ['Add', 'Sub', 'Mul', 'Div'])
    for (const [a, b, output] of [
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
    ] as const)
      check(operator, `[${a.join()}] with [${b.join()}]`, {
        parameters: { a, b: operator === 'Div' ? [b, away(elementCount(b))] : b },
        output,
        emit: (g) => g.emit(operator, ['a', 'b']),
      });
  check('Mul', 'a value times itself', {
    parameters: { a: [2, 3] },
    output: [2, 3],
    emit: (b) => b.emit('Mul', ['a', 'a']),
  });

  for (const [a, b, output] of [
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
  ] as const)
    check('MatMul', `[${a.join()}] with [${b.join()}]`, {
      parameters: { a, b },
      output,
      emit: (g) => g.emit('MatMul', ['a', 'b']),
    });

  for (const transA of [0, 1])
    for (const transB of [0, 1])
      for (const c of [[5], [3, 1], [3, 5], [1]])
        check('Gemm', `transA ${transA}, transB ${transB}, C [${c.join()}], alpha 0.5, beta 2`, {
          parameters: { a: transA ? [4, 3] : [3, 4], b: transB ? [5, 4] : [4, 5], c },
          output: [3, 5],
          emit: (g) =>
            g.emit('Gemm', ['a', 'b', 'c'], {
              transA: int(transA),
              transB: int(transB),
              alpha: float(0.5),
              beta: float(2),
            }),
        });
  check('Gemm', 'without C', {
    parameters: { a: [3, 4], b: [4, 5] },
    output: [3, 5],
    emit: (g) => g.emit('Gemm', ['a', 'b']),
  });

  for (const axis of [1, -1, 0])
    check('Softmax', `axis ${axis}`, {
      parameters: { p: [2, 3, 4] },
      output: [2, 3, 4],
      emit: (g) => g.emit('Softmax', ['p'], { axis: int(axis) }),
    });

  for (const axis of [0, 1, 2, -1])
    check('Flatten', `axis ${axis}`, {
      parameters: { p: [2, 3, 4] },
      output: axis === 0 ? [1, 24] : axis === 1 ? [2, 12] : [6, 4],
      emit: (g) => g.emit('Flatten', ['p'], { axis: int(axis) }),
    });
  for (const [target, output] of [
    [
      [6, -1],
      [6, 4],
    ],
    [
      [0, 12],
      [2, 12],
    ],
    [[-1], [24]],
  ] as const)
    check('Reshape', `to [${target.join()}]`, {
      parameters: { p: [2, 3, 4] },
      output,
      emit: (g) => g.emit('Reshape', ['p', g.ints(target)]),
    });
  check('Identity', 'of a computed value', {
    parameters: { p: [2, 3] },
    output: [2, 3],
    emit: (g) => g.emit('Identity', [g.emit('Tanh', ['p'])]),
  });

  const constants: Record<string, Parameters<GraphBuilder['emit']>[2]> = {
    value: { value: { kind: 'tensor', value: float32([3], [0.5, -1, 2]) } },
    value_float: { value_float: float(0.75) },
    value_floats: { value_floats: { kind: 'floats', value: [0.5, -1, 2] } },
  };
  for (const [form, list] of Object.entries(constants))
    check('Constant', `as ${form}`, {
      parameters: { p: [2, 3] },
      output: [2, 3],
      emit: (g) => g.emit('Mul', ['p', g.emit('Constant', [], list)]),
    });
  check('Constant', 'as value_ints of a Reshape', {
    parameters: { p: [2, 3] },
    output: [3, 2],
    emit: (g) => g.emit('Reshape', ['p', g.emit('Constant', [], { value_ints: attributes.ints([3, -1]) })]),
  });
  check('Constant', 'as value_int', {
    parameters: { p: [2, 3] },
    output: [2, 3],
    emit: (g) => {
      g.emit('Constant', [], { value_int: int(4) });
      return g.emit('Tanh', ['p']);
    },
  });
  check('Add', 'two paths from one value meet again', {
    parameters: { p: [2, 3] },
    output: [2, 3],
    emit: (g) => g.emit('Add', [g.emit('Tanh', ['p']), g.emit('Mul', ['p', g.emit('Sigmoid', ['p'])])]),
  });

  it('covers every rule', () => {
    expect([...RULES.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
  });
});

describe('the comparison itself', () => {
  it('catches a gradient that is wrong by a factor', async () => {
    const bytes = operatorModel({ parameters: { p: [2, 3] }, output: [2, 3], emit: (b) => b.emit('Tanh', ['p']) });
    const halved = {
      ...projection,
      rowGradient: (b: GraphBuilder, _: unknown, t: string) => b.emit('Mul', [t, b.scalar(0.5)]),
    };
    expect(await gradientError(bytes, [2, 3], halved)).toBeGreaterThan(0.1);
  });
});
