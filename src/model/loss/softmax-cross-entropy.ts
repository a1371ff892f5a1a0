// Softmax cross-entropy: logits [batch, classes] against one class label per row.

import { ModelError } from '../errors.js';
import { int, text } from '../graph/attribute.js';
import { float32 } from '../graph/tensor.js';
import { showShape } from '../graph/types.js';
import type { Loss } from './loss.js';

export const softmaxCrossEntropy: Loss = {
  kind: 'softmax-cross-entropy',
  targetType: 'int64',
  targetShape: (outputShape) => {
    const [batch, classes] = outputShape;
    if (batch === undefined || classes === undefined || outputShape.length !== 2 || classes < 2)
      throw new ModelError(
        'model/bad-shape',
        `softmax cross-entropy needs an output of shape [batch, classes], the model gives ${showShape(outputShape)}`,
      );
    return [batch];
  },
  classes: (outputShape) => outputShape[1],
  rowLosses: (builder, output, targets) =>
    builder.emit('SoftmaxCrossEntropyLoss', [output.name, targets], { reduction: text('none') }),
  rowGradient: (builder, output, targets) => {
    const depth = builder.ints([output.shape[1] ?? 1]);
    const labels = builder.emit('OneHot', [targets, depth, builder.constant(float32([2], [0, 1]))], { axis: int(1) });
    return builder.emit('Sub', [builder.emit('Softmax', [output.name], { axis: int(1) }), labels]);
  },
  scores: (builder, output) => builder.emit('Softmax', [output.name], { axis: int(1) }),
};
