// One entry of the tables beside this file.

import type { OperatorCase } from '../../../support/gradient-check.js';
import type { AttributeList } from '../../../../src/model/graph/builder.js';

export interface NamedCase extends OperatorCase {
  readonly operator: string;
  readonly name: string;
}

/** An operator of one input with the output's shape equal to the input's. */
export function unaryCase(
  operator: string,
  values?: Float32Array,
  attributes: AttributeList = {},
  opset = 17,
): NamedCase {
  const shape = values === undefined ? [3, 4] : [values.length];
  return {
    operator,
    name: `of its input, attributes ${JSON.stringify(attributes)}`,
    parameters: { p: values === undefined ? shape : [shape, values] },
    output: shape,
    opset,
    emit: (builder) => builder.emit(operator, ['p'], attributes),
  };
}
