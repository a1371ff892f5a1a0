// What keeping gradients by record asks of the tape (autodiff/tape.ts, which is one): to emit operators, and the shapes of the model's values.

import type { AttributeList, GraphBuilder } from '../graph/builder.js';

/** Values go by name, shapes are those of the probed batch. */
export interface Emitter {
  readonly builder: GraphBuilder;
  shape(value: string): readonly number[];
  emit(operator: string, inputs: readonly string[], attributes?: AttributeList): string;
  reshape(value: string, shape: readonly number[]): string;
  transpose(value: string, permutation: readonly number[]): string;
  expand(value: string, shape: readonly number[]): string;
  zeros(shape: readonly number[]): string;
  sum(value: string, axes: readonly number[]): string;
  scale(value: string, factor: number): string;
}
