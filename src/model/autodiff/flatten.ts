// Flatten: the gradient takes the input's shape back.

import { AXIS } from './rule.js';
import { unary } from './unary.js';

export const flatten = unary('Flatten', (tape, { dy, x }) => tape.reshape(dy, tape.shape(x)), { axis: AXIS });
