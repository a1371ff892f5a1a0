// SpaceToDepth moves blocks of space into channels; the gradient moves them back.

import { int, numberOf, text } from '../graph/attribute.js';
import { unary } from './unary.js';

const BLOCK_MAX = 256;

export const spaceToDepth = unary(
  'SpaceToDepth',
  (tape, { dy }, node) =>
    tape.emit('DepthToSpace', [dy], { blocksize: int(numberOf(node, 'blocksize', 1)), mode: text('DCR') }),
  { blocksize: { kind: 'int', min: 1, max: BLOCK_MAX } },
);
