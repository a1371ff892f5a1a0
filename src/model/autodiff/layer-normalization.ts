// LayerNormalization over the axes from `axis` on, with scale and bias of those axes' shape.

import { numberOf } from '../graph/attribute.js';
import { frontAxis } from '../graph/types.js';
import { normalisationGradient } from './normalisation.js';
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
    const scaled = tape.emit('Mul', [dy, scale]);
    const { normal, dx } = normalisationGradient(tape, x, scaled, axes, numberOf(node, 'epsilon', 1e-5));
    if (tape.wants(scale)) tape.accumulateBroadcast(scale, tape.emit('Mul', [dy, normal]), x);
    if (bias !== undefined && tape.wants(bias)) tape.accumulateBroadcast(bias, dy, x);
    if (tape.wants(x)) tape.accumulate(x, dx());
  },
};
