// Transpose: the gradient is permuted back.

import { integersOf } from '../graph/attribute.js';
import { RANK_MAX } from './rule.js';
import { unary } from './unary.js';

export const transpose = unary(
  'Transpose',
  (tape, { dy, x }, node) => {
    const axes = [...tape.shape(x).keys()];
    const permutation = integersOf(node, 'perm') ?? axes.toReversed();
    return tape.transpose(
      dy,
      axes.map((axis) => permutation.indexOf(axis)),
    );
  },
  { perm: { kind: 'ints', min: 0, max: RANK_MAX - 1 } },
);
