// Cast: a gradient passes only from float32 to float32; every other conversion makes constants, indices or conditions.

import { numberOf } from '../graph/attribute.js';
import { DATA_TYPE } from '../graph/types.js';
import type { OperatorRule } from './rule.js';

export const cast: OperatorRule = {
  operator: 'Cast',
  inputs: [1, 1],
  attributes: {
    to: { kind: 'int', min: DATA_TYPE.float32, max: DATA_TYPE.float64 },
    saturate: { kind: 'int', min: 1, max: 1 },
  },
  refusal: (node) => {
    const to = numberOf(node, 'to', 0);
    // float64 is not run on records, and the other numbers are types that no operator here takes.
    const { float32, int32, int64, uint8, bool } = DATA_TYPE;
    return [float32, int32, int64, uint8, bool].includes(to)
      ? undefined
      : `Cast to element type ${String(to)} is not supported`;
  },
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    if (tape.type(x) === 'float32' && tape.type(tape.output(node)) === 'float32') tape.accumulate(x, dy);
  },
};
