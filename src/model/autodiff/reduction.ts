// What ReduceSum and ReduceMean share: which axes they reduce, and how a gradient is spread over them again.

import { integersOf, numberOf } from '../graph/attribute.js';
import { frontAxis, type GraphNode } from '../graph/types.js';
import type { Tape } from './tape.js';

/** The reduced axes, from the front: an input from operator set 18 (ReduceSum: 13) on, an attribute before. */
export function reducedAxes(tape: Tape, node: GraphNode): readonly number[] {
  const rank = tape.shape(tape.input(node, 0)).length;
  const given = integersOf(node, 'axes') ?? tape.constantInts(node.inputs[1]) ?? [];
  if (given.length > 0) return given.map((axis) => frontAxis(axis, rank));
  return numberOf(node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** Gives `gradient`, of the reduced shape, the shape of the node's input. */
export function spread(tape: Tape, node: GraphNode, gradient: string, axes: readonly number[]): string {
  const shape = tape.shape(tape.input(node, 0));
  const kept = numberOf(node, 'keepdims', 1) === 1;
  const aligned = kept
    ? gradient
    : tape.reshape(
        gradient,
        shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
      );
  return tape.expand(aligned, shape);
}
