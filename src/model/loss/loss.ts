// What a loss is: emitters of graph pieces over the model's output [batch, ...]. A loss is written once and serves training (its
// gradient) and evaluation (its value per row), each row by itself, so that weights and clipping can act on rows.

import type { GraphBuilder } from '../graph/builder.js';

/** The model's output in the graph being built. */
export interface LossOutput {
  readonly name: string;
  /** [batch, ...]. */
  readonly shape: readonly number[];
}

export interface Loss {
  readonly kind: string;
  readonly targetType: 'float32' | 'int64';
  /** Shape of the targets of one batch. Throws `model/bad-shape` when the loss cannot take such an output. */
  targetShape(outputShape: readonly number[]): readonly number[];
  /** Largest class label plus one where targets are classes; undefined where they are numbers. */
  classes(outputShape: readonly number[]): number | undefined;
  /** Emits the loss of each row, float32 [batch]. */
  rowLosses(builder: GraphBuilder, output: LossOutput, targets: string): string;
  /** Emits d(loss of row i) / d(output of row i), of the output's shape. */
  rowGradient(builder: GraphBuilder, output: LossOutput, targets: string): string;
  /**
   * For a loss whose rows look at each other: emits d(sum_i share_i * loss of row i) / d(output), of the output's shape. `share` is
   * float32 [batch]. Used instead of `rowGradient`, which then must not be: no row has a gradient of its own.
   */
  readonly batchGradient?: (builder: GraphBuilder, output: LossOutput, targets: string, share: string) => string;
  /** Emits what metrics look at, of the output's shape: probabilities, or predicted values. */
  scores(builder: GraphBuilder, output: LossOutput): string;
}
