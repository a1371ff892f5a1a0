// Operators that take no gradient, each as a factor of a value that takes one: what they compute must stand in the training graph, and
// nothing must flow through them.

import { attributes, float32, int64s, type GraphBuilder } from '../../../../src/model/index.js';
import { distinctValues } from '../../../support/gradient-check.js';
import type { NamedCase } from './case.js';

const { int } = attributes;
const SHAPE = [3, 4];

/** The output of `emit` as float32 times tanh(p); `p` keeps away from where steps jump. */
function factor(operator: string, emit: (g: GraphBuilder) => string, name = 'as a factor'): NamedCase {
  return {
    operator,
    name,
    parameters: { p: [SHAPE, distinctValues(12)] },
    output: SHAPE,
    emit: (g) => g.emit('Mul', [g.emit('Tanh', ['p']), g.emit('Cast', [emit(g)], { to: int(1) })]),
  };
}

const above = (g: GraphBuilder, limit: number): string => g.emit('Greater', ['p', g.scalar(limit)]);
const int64 = (value: number) => ({ type: 'int64', shape: [], data: BigInt64Array.of(BigInt(value)) }) as const;
const count = (g: GraphBuilder, value: number): string => g.constant(int64(value));

export const WITHOUT_GRADIENT: readonly NamedCase[] = [
  ...['And', 'Or', 'Xor'].map((operator) => factor(operator, (g) => g.emit(operator, [above(g, -0.3), above(g, 0.5)]))),
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((operator) =>
    factor(operator, (g) => g.emit(operator, ['p', g.scalar(0.25)])),
  ),
  ...['Ceil', 'Floor', 'Round', 'Sign'].map((operator) => factor(operator, (g) => g.emit(operator, ['p']))),
  factor('Not', (g) => g.emit('Not', [above(g, 0.26)])),
  factor('ArgMax', (g) => g.emit('ArgMax', ['p'], { axis: int(1), keepdims: int(1) })),
  factor('Mod', (g) => g.emit('Mod', [g.emit('Size', ['p']), count(g, 5)])),
  factor('Shape', (g) => g.emit('Gather', [g.emit('Shape', ['p']), g.ints([1])])),
  factor('Size', (g) => g.emit('Size', ['p'])),
  factor('ConstantOfShape', (g) =>
    g.emit('ConstantOfShape', [g.emit('Shape', ['p'])], { value: { kind: 'tensor', value: float32([1], [2.5]) } }),
  ),
  factor('Range', (g) => {
    const columns = g.emit('Gather', [g.emit('Shape', ['p']), count(g, 1)]);
    return g.emit('Range', [count(g, 0), columns, count(g, 1)]);
  }),
  factor('OneHot', (g) =>
    g.emit('OneHot', [
      g.emit('ArgMax', ['p'], { axis: int(1), keepdims: int(0) }),
      g.constant(int64s([4])),
      g.constant(float32([2], [0.5, 2])),
    ]),
  ),
  {
    operator: 'Cast',
    name: 'from float32 to float32, and through whole numbers',
    parameters: { p: [SHAPE, distinctValues(12)] },
    output: SHAPE,
    emit: (g) => {
      const whole = g.emit('Cast', [g.emit('Cast', ['p'], { to: int(7) })], { to: int(1) });
      return g.emit('Mul', [g.emit('Cast', [g.emit('Exp', ['p'])], { to: int(1) }), whole]);
    },
  },
];
