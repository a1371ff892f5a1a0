// Binary cross-entropy on logits: softplus(z) - z * t, which neither overflows nor loses precision at large |z|. With several
// outputs in a row (several findings on one image) their losses are averaged.

import type { Loss } from './loss.js';
import { meanPerRow, outputsPerRow } from './mean-per-row.js';

export const binaryCrossEntropy: Loss = {
  kind: 'binary-cross-entropy',
  targetType: 'float32',
  targetShape: (outputShape) => outputShape,
  classes: () => undefined,
  rowLosses: (builder, output, targets) => {
    const soft = builder.emit('Softplus', [output.name]);
    const each = builder.emit('Sub', [soft, builder.emit('Mul', [output.name, targets])]);
    return meanPerRow(builder, each, output.shape);
  },
  rowGradient: (builder, output, targets) => {
    const difference = builder.emit('Sub', [builder.emit('Sigmoid', [output.name]), targets]);
    return builder.emit('Mul', [difference, builder.scalar(1 / outputsPerRow(output.shape))]);
  },
  scores: (builder, output) => builder.emit('Sigmoid', [output.name]),
};
