// Huber's loss (Huber 1964): e^2 / 2 for |e| <= d and d * (|e| - d / 2) beyond, e = y - t, averaged over the outputs of a row. Its
// gradient is e cut to [-d, d], so one wild target pulls no harder than d.

import { ModelError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Loss } from './loss.js';
import { meanPerRow, outputsPerRow } from './mean-per-row.js';

/** `delta`: where the parabola ends, in the unit of the target. Throws `model/bad-loss`. */
export function huber(delta: number): Loss {
  if (!(delta > 0 && delta < Infinity))
    throw new ModelError('model/bad-loss', `a Huber delta of ${String(delta)} is not a finite number above 0`);
  const cut = (builder: GraphBuilder, error: string): string =>
    builder.emit('Clip', [error, builder.scalar(-delta), builder.scalar(delta)]);
  return {
    kind: 'huber',
    targetType: 'float32',
    targetShape: (outputShape) => outputShape,
    classes: () => undefined,
    rowLosses: (builder, output, targets) => {
      const error = builder.emit('Sub', [output.name, targets]);
      const near = cut(builder, error);
      // With c = clip(e): c * (e - c / 2) is e^2 / 2 inside and d * (|e| - d / 2) outside.
      const half = builder.emit('Mul', [near, builder.scalar(0.5)]);
      return meanPerRow(builder, builder.emit('Mul', [near, builder.emit('Sub', [error, half])]), output.shape);
    },
    rowGradient: (builder, output, targets) => {
      const near = cut(builder, builder.emit('Sub', [output.name, targets]));
      return builder.emit('Mul', [near, builder.scalar(1 / outputsPerRow(output.shape))]);
    },
    scores: (_builder, output) => output.name,
  };
}
