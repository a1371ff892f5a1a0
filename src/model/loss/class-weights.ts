// Weights of classes: a factor on the loss of each row by its class, for data in which one class is rare. The mean is still over rows,
// not over weights, so a batch without the rare class takes no larger step.

import { ModelError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import { float32 } from '../graph/tensor.js';

/** Throws `model/bad-loss` unless every weight is finite and above 0. */
export function assertClassWeights(weights: readonly number[]): void {
  const bad = weights.find((weight) => !(weight > 0 && weight < Infinity));
  if (bad !== undefined)
    throw new ModelError('model/bad-loss', `a class weight of ${String(bad)} is not a finite number above 0`);
}

/** Throws `model/bad-loss` unless there are none or `classes` of them. */
export function assertWeightCount(weights: readonly number[], classes: number): void {
  if (weights.length !== 0 && weights.length !== classes)
    throw new ModelError('model/bad-loss', `${String(weights.length)} class weights for ${String(classes)} classes`);
}

/** Emits w0 + (w1 - w0) * t for targets t from 0 to 1, of their shape; undefined when there are no weights. */
export function binaryWeight(builder: GraphBuilder, targets: string, weights: readonly number[]): string | undefined {
  const [zero, one] = weights;
  if (zero === undefined || one === undefined) return undefined;
  return builder.emit('Add', [builder.emit('Mul', [targets, builder.scalar(one - zero)]), builder.scalar(zero)]);
}

/** Emits the weight of each row's class: labels int64 [batch] give float32 [batch]; undefined when there are no weights. */
export function labelWeight(builder: GraphBuilder, labels: string, weights: readonly number[]): string | undefined {
  if (weights.length === 0) return undefined;
  return builder.emit('Gather', [builder.constant(float32([weights.length], weights)), labels]);
}

/** `value * weight`, or the value itself where nothing is weighted. */
export function weightedBy(builder: GraphBuilder, value: string, weight: string | undefined): string {
  return weight === undefined ? value : builder.emit('Mul', [value, weight]);
}
