// LayerNormalization over the axes from `axis` on: with n = (x - mean) / std and g = dy * scale,
// dx = (g - mean(g) - n * mean(g * n)) / std, dscale = sum(dy * n), dbias = sum(dy) over the leading axes. Mean and deviation are
// computed again here, which costs two passes and leaves the forward node as the exporter wrote it.

import { numberOf } from '../graph/attribute.js';
import { elementCount, frontAxis } from '../graph/types.js';
import { AXIS, type OperatorRule } from './rule.js';

export const layerNormalization: OperatorRule = {
  operator: 'LayerNormalization',
  since: 17,
  inputs: [2, 3],
  attributes: { axis: AXIS, epsilon: { kind: 'float', min: 0 }, stash_type: { kind: 'int', min: 1, max: 1 } },
  backward: (tape, node, dy) => {
    const [x, scale, bias] = [tape.input(node, 0), tape.input(node, 1), node.inputs[2]];
    const shape = tape.shape(x);
    const first = frontAxis(numberOf(node, 'axis', -1), shape.length);
    const axes = [...shape.keys()].filter((axis) => axis >= first);
    const count = elementCount(shape.slice(first));
    const mean = (value: string): string => tape.scale(tape.sum(value, axes), 1 / count);
    const centred = tape.emit('Sub', [x, mean(x)]);
    const variance = mean(tape.emit('Mul', [centred, centred]));
    const epsilon = tape.builder.scalar(numberOf(node, 'epsilon', 1e-5));
    const inverse = tape.emit('Reciprocal', [tape.emit('Sqrt', [tape.emit('Add', [variance, epsilon])])]);
    const normal = tape.emit('Mul', [centred, inverse]);
    if (tape.wants(scale))
      tape.accumulate(scale, tape.unbroadcast(tape.emit('Mul', [dy, normal]), shape, tape.shape(scale)));
    if (bias !== undefined && tape.wants(bias)) tape.accumulate(bias, tape.unbroadcast(dy, shape, tape.shape(bias)));
    if (!tape.wants(x)) return;
    const g = tape.emit('Mul', [dy, scale]);
    const along = tape.emit('Mul', [normal, mean(tape.emit('Mul', [g, normal]))]);
    tape.accumulate(x, tape.emit('Mul', [inverse, tape.emit('Sub', [g, tape.emit('Add', [mean(g), along])])]));
  },
};
