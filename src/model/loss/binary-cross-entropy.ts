// Binary cross-entropy on logits: softplus(z) - z * t, which neither overflows nor loses precision at large |z|. With several
// outputs in a row (several findings on one image) their losses are averaged. Class weights (w0, w1) multiply the loss of targets 0
// and 1; (1, w) is PyTorch's pos_weight = w.

import { assertClassWeights, assertWeightCount, binaryWeight, weightedBy } from './class-weights.js';
import type { Loss } from './loss.js';
import { meanPerRow, outputsPerRow } from './mean-per-row.js';

/** `classWeights`: (w0, w1), or nothing for (1, 1). Throws `model/bad-loss`. */
export function binaryCrossEntropyWith(classWeights: readonly number[]): Loss {
  assertClassWeights(classWeights);
  assertWeightCount(classWeights, 2);
  return {
    kind: 'binary-cross-entropy',
    targetType: 'float32',
    targetShape: (outputShape) => outputShape,
    classes: () => undefined,
    rowLosses: (builder, output, targets) => {
      const soft = builder.emit('Softplus', [output.name]);
      const each = builder.emit('Sub', [soft, builder.emit('Mul', [output.name, targets])]);
      return meanPerRow(builder, weightedBy(builder, each, binaryWeight(builder, targets, classWeights)), output.shape);
    },
    rowGradient: (builder, output, targets) => {
      const difference = builder.emit('Sub', [builder.emit('Sigmoid', [output.name]), targets]);
      const weighted = weightedBy(builder, difference, binaryWeight(builder, targets, classWeights));
      return builder.emit('Mul', [weighted, builder.scalar(1 / outputsPerRow(output.shape))]);
    },
    scores: (builder, output) => builder.emit('Sigmoid', [output.name]),
  };
}

export const binaryCrossEntropy = binaryCrossEntropyWith([]);
