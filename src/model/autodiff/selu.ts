// Selu: gamma x above zero, gamma alpha (e^x - 1) below (Klambauer et al. 2017). Below zero the derivative is y + gamma alpha.

import { numberOf } from '../graph/attribute.js';
import { unary } from './unary.js';

/** The operator's defaults: the values of the paper in float32. */
const ALPHA = 1.67326319217681884765625;
const GAMMA = 1.05070102214813232421875;

export const selu = unary(
  'Selu',
  (tape, { dy, x, y }, node) => {
    const gamma = numberOf(node, 'gamma', GAMMA);
    const shift = tape.builder.scalar(gamma * numberOf(node, 'alpha', ALPHA));
    const zero = tape.builder.scalar(0);
    const slope = tape.emit('Where', [
      tape.emit('Greater', [x, zero]),
      tape.builder.scalar(gamma),
      tape.emit('Add', [y, shift]),
    ]);
    return tape.emit('Mul', [dy, slope]);
  },
  { alpha: { kind: 'float' }, gamma: { kind: 'float' } },
);
