// BatchNormalization with the statistics that stand in the file, which training leaves alone: per channel an affine map whose scale
// and bias are trained. Statistics of the batch are not used: they would mix the records of a batch, and silos would disagree on them.

import { numberOf } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import type { OperatorRule } from './rule.js';

export const batchNormalization: OperatorRule = {
  operator: 'BatchNormalization',
  inputs: [5, 5],
  attributes: {
    epsilon: { kind: 'float', min: 0 },
    momentum: { kind: 'float', min: 0, max: 1 },
    training_mode: { kind: 'int', min: 0, max: 0 },
  },
  steeringInputs: [3, 4],
  backward: (tape, node, dy) => {
    const [x, scale, bias] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const shape = tape.shape(x);
    const channels = elementCount(tape.shape(scale));
    const perChannel = [1, channels, ...shape.slice(2).map(() => 1)];
    const axes = [...shape.keys()].filter((axis) => axis !== 1);
    const epsilon = tape.builder.scalar(numberOf(node, 'epsilon', 1e-5));
    const deviation = tape.emit('Sqrt', [tape.emit('Add', [tape.input(node, 4), epsilon])]);
    const inverse = tape.reshape(tape.emit('Reciprocal', [deviation]), perChannel);
    const gather = (value: string): string => tape.reshape(tape.sum(value, axes), [channels]);
    if (tape.wants(scale)) {
      const centred = tape.emit('Sub', [x, tape.reshape(tape.input(node, 3), perChannel)]);
      tape.accumulate(scale, gather(tape.emit('Mul', [dy, tape.emit('Mul', [centred, inverse])])));
    }
    if (tape.wants(bias)) tape.accumulate(bias, gather(dy));
    if (tape.wants(x)) {
      const slope = tape.emit('Mul', [tape.reshape(scale, perChannel), inverse]);
      tape.accumulate(x, tape.emit('Mul', [dy, slope]));
    }
  },
};
