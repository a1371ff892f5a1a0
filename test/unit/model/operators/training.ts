// Operators that compute something else in training than in prediction: compared with the training graph's own loss.

import { attributes, float32, type GraphBuilder } from '../../../../src/model/index.js';
import type { NamedCase } from './case.js';

const { float, int } = attributes;

const flag = (g: GraphBuilder, value: boolean): string =>
  g.constant({ type: 'bool', shape: [], data: Uint8Array.of(value ? 1 : 0) });

export const TRAINING: readonly NamedCase[] = [
  ...[
    [6, 2],
    [3, 2, 4],
    [2, 3, 3, 2],
  ].map((shape): NamedCase => {
    const channels = shape[1]!;
    return {
      operator: 'BatchNormalization',
      name: `of shape [${shape.join()}], with the statistics of the batch`,
      parameters: { v: shape, scale: [channels], bias: [channels] },
      output: shape,
      inTraining: true,
      emit: (g) => {
        g.initialiser('mean', float32([channels], new Float32Array(channels).fill(0.3)));
        g.initialiser('variance', float32([channels], new Float32Array(channels).fill(2)));
        const inputs = ['v', 'scale', 'bias', 'mean', 'variance'];
        return g.emit('BatchNormalization', inputs, { training_mode: int(1), epsilon: float(1e-3) });
      },
    };
  }),
  {
    operator: 'Dropout',
    name: 'a third dropped',
    parameters: { p: [4, 5] },
    output: [4, 5],
    inTraining: true,
    emit: (g) => g.emit('Dropout', [g.emit('Tanh', ['p']), g.scalar(1 / 3), flag(g, true)]),
  },
  {
    operator: 'Dropout',
    name: 'without training_mode, as the identity',
    parameters: { p: [4, 5] },
    output: [4, 5],
    emit: (g) => g.emit('Dropout', ['p', g.scalar(0.5), flag(g, false)]),
  },
];
