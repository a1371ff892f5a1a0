// Softmax cross-entropy: logits [batch, classes] against one class label per row. Class weights multiply the loss of a row by the weight
// of its label.

import { ModelError } from '../errors.js';
import { int, text } from '../graph/attribute.js';
import { float32 } from '../graph/tensor.js';
import { showShape } from '../graph/types.js';
import { assertClassWeights, assertWeightCount, labelWeight, weightedBy } from './class-weights.js';
import type { Loss } from './loss.js';

/** `classWeights`: one for each class, or none. Throws `model/bad-loss`. */
export function softmaxCrossEntropyWith(classWeights: readonly number[]): Loss {
  assertClassWeights(classWeights);
  return {
    kind: 'softmax-cross-entropy',
    targetType: 'int64',
    targetShape: (outputShape) => {
      const [batch, classes] = outputShape;
      if (batch === undefined || classes === undefined || outputShape.length !== 2 || classes < 2)
        throw new ModelError(
          'model/bad-shape',
          `softmax cross-entropy needs an output of shape [batch, classes], the model gives ${showShape(outputShape)}`,
        );
      assertWeightCount(classWeights, classes);
      return [batch];
    },
    classes: (outputShape) => outputShape[1],
    rowLosses: (builder, output, targets) => {
      const each = builder.emit('SoftmaxCrossEntropyLoss', [output.name, targets], { reduction: text('none') });
      return weightedBy(builder, each, labelWeight(builder, targets, classWeights));
    },
    rowGradient: (builder, output, targets) => {
      const depth = builder.ints([output.shape[1] ?? 1]);
      const labels = builder.emit('OneHot', [targets, depth, builder.constant(float32([2], [0, 1]))], { axis: int(1) });
      const difference = builder.emit('Sub', [builder.emit('Softmax', [output.name], { axis: int(1) }), labels]);
      const weight = labelWeight(builder, targets, classWeights);
      if (weight === undefined) return difference;
      return builder.emit('Mul', [difference, builder.emit('Unsqueeze', [weight, builder.ints([1])])]);
    },
    scores: (builder, output) => builder.emit('Softmax', [output.name], { axis: int(1) }),
  };
}

export const softmaxCrossEntropy = softmaxCrossEntropyWith([]);
