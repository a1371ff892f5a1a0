// Averages a loss over the outputs of each row.

import { int } from '../graph/attribute.js';
import type { GraphBuilder } from '../graph/builder.js';
import { elementCount } from '../graph/types.js';

/** `values`: [batch, ...] of shape `shape`; returns [batch]. */
export function meanPerRow(builder: GraphBuilder, values: string, shape: readonly number[]): string {
  const [batch = 1, ...rest] = shape;
  const flat = builder.emit('Reshape', [values, builder.ints([batch, elementCount(rest)])]);
  const summed = builder.emit('ReduceSum', [flat, builder.ints([1])], { keepdims: int(0) });
  return builder.emit('Mul', [summed, builder.scalar(1 / elementCount(rest))]);
}

/** Number of outputs of one row. */
export function outputsPerRow(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}
