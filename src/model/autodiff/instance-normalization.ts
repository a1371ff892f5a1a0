// InstanceNormalization: each channel of each row over its positions. As LayerNormalization with one scale and bias per channel;
// PyTorch's GroupNorm exports as this between two Reshapes.

import { numberOf } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import { normalisationGradient } from './normalisation.js';
import type { OperatorRule } from './rule.js';

export const instanceNormalization: OperatorRule = {
  operator: 'InstanceNormalization',
  inputs: [3, 3],
  attributes: { epsilon: { kind: 'float', min: 0 } },
  backward: (tape, node, dy) => {
    const [x, scale, bias] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const shape = tape.shape(x);
    const channels = elementCount(tape.shape(scale));
    const perChannel = [1, channels, ...shape.slice(2).map(() => 1)];
    const axes = [...shape.keys()].slice(2);
    const scaled = tape.emit('Mul', [dy, tape.reshape(scale, perChannel)]);
    const { normal, dx } = normalisationGradient(tape, x, scaled, axes, numberOf(node, 'epsilon', 1e-5));
    if (tape.wants(scale)) tape.accumulateSum(scale, tape.emit('Mul', [dy, normal]), x, axes);
    if (tape.wants(bias)) tape.accumulateSum(bias, dy, x, axes);
    if (tape.wants(x)) tape.accumulate(x, dx());
  },
};
