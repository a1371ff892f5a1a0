// Focal loss on logits (Lin et al. 2017): a_t * (1 - q)^gamma * -log q, q the probability given to the true side. Easy records, q near 1,
// weigh little. With u = z for target 1 and -z for target 0, q = sigmoid(u) and -log q = softplus(-u). Class weights (w0, w1) are the
// paper's alpha. Targets are 0 or 1.

import { ModelError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import { assertClassWeights, assertWeightCount, binaryWeight, weightedBy } from './class-weights.js';
import type { Loss } from './loss.js';
import { meanPerRow, outputsPerRow } from './mean-per-row.js';

/** `gamma`: 0 is cross-entropy, the paper uses 2. `classWeights`: (w0, w1) or none. Throws `model/bad-loss`. */
export function focal(gamma: number, classWeights: readonly number[]): Loss {
  if (!(gamma >= 0 && gamma <= GAMMA_MAX))
    throw new ModelError('model/bad-loss', `a focal gamma of ${String(gamma)} is not from 0 to ${String(GAMMA_MAX)}`);
  assertClassWeights(classWeights);
  assertWeightCount(classWeights, 2);
  return {
    kind: 'focal',
    targetType: 'float32',
    targetShape: (outputShape) => outputShape,
    classes: () => undefined,
    rowLosses: (builder, output, targets) => {
      const { surprise, focus } = pieces(builder, output.name, targets, gamma);
      const each = builder.emit('Mul', [focus, surprise]);
      return meanPerRow(builder, weightedBy(builder, each, binaryWeight(builder, targets, classWeights)), output.shape);
    },
    rowGradient: (builder, output, targets) => {
      // d/dz = side * -(1 - q)^gamma * (gamma * q * -log q + (1 - q)).
      const { side, q, miss, surprise, focus } = pieces(builder, output.name, targets, gamma);
      const pull = builder.emit('Mul', [builder.emit('Mul', [q, surprise]), builder.scalar(gamma)]);
      const slope = builder.emit('Mul', [focus, builder.emit('Add', [pull, miss])]);
      const signed = builder.emit('Neg', [builder.emit('Mul', [side, slope])]);
      const weighted = weightedBy(builder, signed, binaryWeight(builder, targets, classWeights));
      return builder.emit('Mul', [weighted, builder.scalar(1 / outputsPerRow(output.shape))]);
    },
    scores: (builder, output) => builder.emit('Sigmoid', [output.name]),
  };
}

/** Beyond this only records that are almost surely wrong would count at all. */
export const GAMMA_MAX = 10;

function pieces(builder: GraphBuilder, logits: string, targets: string, gamma: number) {
  const doubled = builder.emit('Mul', [targets, builder.scalar(2)]);
  const side = builder.emit('Sub', [doubled, builder.scalar(1)]);
  const u = builder.emit('Mul', [side, logits]);
  const back = builder.emit('Neg', [u]);
  const miss = builder.emit('Sigmoid', [back]);
  return {
    side,
    q: builder.emit('Sigmoid', [u]),
    miss,
    surprise: builder.emit('Softplus', [back]),
    focus: builder.emit('Pow', [miss, builder.scalar(gamma)]),
  };
}
