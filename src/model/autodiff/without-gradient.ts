// Operators that take no gradient: shapes and what is computed from them, comparisons, and steps, whose derivative is zero wherever it
// exists. They are allowed because exporters compute shapes, masks and indices with them.

import { AXIS, FLAG, RANK_MAX, type AttributeBound, type OperatorRule } from './rule.js';

function ungraded(
  operator: string,
  inputs: readonly [number, number],
  attributes: Readonly<Record<string, AttributeBound>> = {},
  since?: number,
): OperatorRule {
  return { operator, inputs, attributes, ...(since === undefined ? {} : { since }) };
}

const POSITION: AttributeBound = { kind: 'int', min: -RANK_MAX, max: RANK_MAX };

export const WITHOUT_GRADIENT: readonly OperatorRule[] = [
  ungraded('And', [2, 2]),
  ungraded('ArgMax', [1, 1], { axis: AXIS, keepdims: FLAG, select_last_index: FLAG }),
  ungraded('Ceil', [1, 1]),
  { ...ungraded('ConstantOfShape', [1, 1], { value: { kind: 'tensor' } }), steeringInputs: [0] },
  ungraded('Equal', [2, 2]),
  ungraded('Floor', [1, 1]),
  ungraded('Greater', [2, 2]),
  ungraded('GreaterOrEqual', [2, 2]),
  ungraded('Less', [2, 2]),
  ungraded('LessOrEqual', [2, 2]),
  ungraded('Mod', [2, 2], { fmod: FLAG }),
  ungraded('Not', [1, 1]),
  { ...ungraded('OneHot', [3, 3], { axis: AXIS }), steeringInputs: [1, 2] },
  ungraded('Or', [2, 2]),
  { ...ungraded('Range', [3, 3]), steeringInputs: [0, 1, 2] },
  ungraded('Round', [1, 1]),
  ungraded('Shape', [1, 1], { start: POSITION, end: POSITION }),
  ungraded('Sign', [1, 1]),
  ungraded('Size', [1, 1]),
  ungraded('Xor', [2, 2]),
];
