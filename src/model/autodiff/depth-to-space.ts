// DepthToSpace moves blocks of channels into space; the gradient moves them back.

import { numberOf, textOf } from '../graph/attribute.js';
import { unary } from './unary.js';

const BLOCK_MAX = 256;

export const depthToSpace = unary(
  'DepthToSpace',
  (tape, { dy, x }, node) => {
    const [batch = 1, channels = 1, height = 1, width = 1] = tape.shape(x);
    const block = numberOf(node, 'blocksize', 1);
    const split = tape.reshape(dy, [batch, channels / block ** 2, height, block, width, block]);
    // In mode DCR the blocks come before the channels in the input, in CRD after them.
    const order = textOf(node, 'mode', 'DCR') === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
    return tape.reshape(tape.transpose(split, order), tape.shape(x));
  },
  { blocksize: { kind: 'int', min: 1, max: BLOCK_MAX }, mode: { kind: 'string', oneOf: ['DCR', 'CRD'] } },
);
