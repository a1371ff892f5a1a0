// Constant: a value in the node itself; takes no gradient and is not a parameter. Exactly one of the forms may be present.

import type { OperatorRule } from './rule.js';

export const constant: OperatorRule = {
  operator: 'Constant',
  inputs: [0, 0],
  attributes: {
    value: { kind: 'tensor' },
    value_float: { kind: 'float' },
    value_floats: { kind: 'floats' },
    value_int: { kind: 'int', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
    value_ints: { kind: 'ints', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  },
};
