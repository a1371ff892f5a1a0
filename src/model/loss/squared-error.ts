// Squared error: (y - t)^2, averaged over the outputs of a row.

import type { Loss } from './loss.js';
import { meanPerRow, outputsPerRow } from './mean-per-row.js';

export const squaredError: Loss = {
  kind: 'squared-error',
  targetType: 'float32',
  targetShape: (outputShape) => outputShape,
  classes: () => undefined,
  rowLosses: (builder, output, targets) => {
    const error = builder.emit('Sub', [output.name, targets]);
    return meanPerRow(builder, builder.emit('Mul', [error, error]), output.shape);
  },
  rowGradient: (builder, output, targets) => {
    const error = builder.emit('Sub', [output.name, targets]);
    return builder.emit('Mul', [error, builder.scalar(2 / outputsPerRow(output.shape))]);
  },
  scores: (_builder, output) => output.name,
};
