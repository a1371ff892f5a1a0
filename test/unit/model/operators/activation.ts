// Functions of single elements, and those that normalise along axes.

import { attributes, float32 } from '../../../../src/model/index.js';
import { distinctValues } from '../../../support/gradient-check.js';
import { seededFloats } from '../../../support/onnx-models.js';
import { unaryCase, type NamedCase } from './case.js';

const { int, float, text } = attributes;
const positive = seededFloats(8, 5, 0.5).map((value) => value + 1.5);
/** No value within a step of the kinks at -2.5 and 2.5 of HardSigmoid, or of those of Clip below. */
const kinked = distinctValues(12);

export const ACTIVATION: readonly NamedCase[] = [
  ...['Sigmoid', 'Tanh', 'Exp', 'Softplus', 'Erf', 'Neg'].map((operator) => unaryCase(operator)),
  ...['Relu', 'LeakyRelu', 'Elu', 'Abs'].map((operator) => unaryCase(operator, kinked)),
  unaryCase('LeakyRelu', kinked, { alpha: float(0.3) }),
  unaryCase('Elu', kinked, { alpha: float(0.7) }),
  ...['Log', 'Sqrt', 'Reciprocal'].map((operator) => unaryCase(operator, positive)),
  unaryCase(
    'HardSigmoid',
    kinked.map((value) => 5 * value),
  ),
  unaryCase('HardSigmoid', kinked, { alpha: float(0.5), beta: float(0.4) }),
  unaryCase('Gelu', undefined, {}, 20),
  unaryCase('Gelu', undefined, { approximate: text('tanh') }, 20),
  ...[1, -1, 0].flatMap((axis) =>
    ['Softmax', 'LogSoftmax'].map((operator) => ({
      operator,
      name: `axis ${axis}`,
      parameters: { p: [2, 3, 4] },
      output: [2, 3, 4],
      emit: (g: Parameters<NamedCase['emit']>[0]) => g.emit(operator, ['p'], { axis: int(axis) }),
    })),
  ),
  ...[
    ['both limits', -0.31, 0.47],
    ['a lower limit', -0.31, undefined],
    ['an upper limit', undefined, 0.47],
    ['no limit', undefined, undefined],
  ].map(
    ([name, low, high]): NamedCase => ({
      operator: 'Clip',
      name: String(name),
      parameters: { p: [[12], kinked] },
      output: [12],
      emit: (g) => g.emit('Clip', ['p', ...[low, high].map((v) => (v === undefined ? '' : g.scalar(Number(v))))]),
    }),
  ),
  ...[2, 3, 0.5, -1, 1].map(
    (exponent): NamedCase => ({
      operator: 'Pow',
      name: `exponent ${exponent}`,
      parameters: { p: [[8], positive] },
      output: [8],
      emit: (g) => g.emit('Pow', ['p', g.scalar(exponent)]),
    }),
  ),
  {
    operator: 'Pow',
    name: 'exponent of shape [1, 1], which adds an axis',
    parameters: { p: [[8], positive] },
    output: [1, 8],
    emit: (g) => g.emit('Pow', ['p', g.constant(float32([1, 1], [2.5]))]),
  },
  ...[
    ['last axis', [2, 3, 5], [5], -1],
    ['two axes', [3, 2, 5], [2, 5], 1],
    ['all axes', [2, 5], [2, 5], 0],
  ].map(
    ([name, shape, scale, axis]): NamedCase => ({
      operator: 'LayerNormalization',
      name: String(name),
      parameters: { v: shape as number[], scale: scale as number[], bias: scale as number[] },
      output: shape as number[],
      emit: (g) =>
        g.emit('LayerNormalization', ['v', 'scale', 'bias'], { axis: int(Number(axis)), epsilon: float(1e-3) }),
    }),
  ),
  {
    operator: 'LayerNormalization',
    name: 'without bias',
    parameters: { v: [3, 5], scale: [5] },
    output: [3, 5],
    emit: (g) => g.emit('LayerNormalization', ['v', 'scale']),
  },
];
