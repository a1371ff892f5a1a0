// GroupNormalization (Wu and He 2018): each group of channels of each row over its positions. Scale and bias belong to groups up to
// operator set 20 and to channels from 21 on; their shape tells.

import { numberOf } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import { normalisationGradient } from './normalisation.js';
import type { OperatorRule } from './rule.js';

export const groupNormalization: OperatorRule = {
  operator: 'GroupNormalization',
  since: 18,
  inputs: [3, 3],
  attributes: {
    epsilon: { kind: 'float', min: 0 },
    num_groups: { kind: 'int', min: 1, max: 65_536 },
    stash_type: { kind: 'int', min: 1, max: 1 },
  },
  backward: (tape, node, dy) => {
    const [x, scale, bias] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const [batch = 1, channels = 1, ...extents] = tape.shape(x);
    const groups = numberOf(node, 'num_groups', 1);
    const positions = elementCount(extents);
    const grouped = [batch, groups, channels / groups, positions];
    const ofChannels = elementCount(tape.shape(scale)) === channels;
    // Broadcasts over a value of shape `grouped`, whichever of the two the parameters belong to.
    const affine = ofChannels ? [1, groups, channels / groups, 1] : [1, groups, 1, 1];
    const axes = ofChannels ? [3] : [2, 3];
    const dyGrouped = tape.reshape(dy, grouped);
    const g = tape.emit('Mul', [dyGrouped, tape.reshape(scale, affine)]);
    const epsilon = numberOf(node, 'epsilon', 1e-5);
    const { normal, dx } = normalisationGradient(tape, tape.reshape(x, grouped), g, [2, 3], epsilon, grouped);
    if (tape.wants(scale)) tape.accumulateSum(scale, tape.emit('Mul', [dyGrouped, normal]), x, axes);
    if (tape.wants(bias)) tape.accumulateSum(bias, dyGrouped, x, axes);
    if (tape.wants(x)) tape.accumulate(x, tape.reshape(dx(), tape.shape(x)));
  },
};
