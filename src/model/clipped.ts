// The graph of one step of DP-SGD (Abadi et al. 2016): the gradient of every record, or of every person with several, is cut to a length
// before it is added to the others. Dense layers need no gradient of a record for that: its norm follows from two vectors, and the
// clipped sum is one more product (ghost norms: Goodfellow 2015, Li et al. 2022; book-keeping: Bu et al. 2023). All other parameters
// have their gradients written out by record. No noise is added here.

import { dependents, walkBackward } from './autodiff/backward.js';
import { Tape, type DropoutMask } from './autodiff/tape.js';
import type { Shapes } from './graph/measured.js';
import { begin, copyTraining, gradientName, STEP_NAMES, type StepGraph } from './differentiate.js';
import { ModelError } from './errors.js';
import type { ForwardModel } from './forward.js';
import { int } from './graph/attribute.js';
import type { Loss } from './loss/loss.js';
import { batchPlaces } from './records/batch-place.js';
import { cutAndAdd } from './records/cut.js';
import { RecordGradients } from './records/record-gradients.js';

export interface ClippedGraph extends StepGraph {
  /**
   * Name of each parameter's clipped sum, in the order of `parameters`: of g_u * min(1, clip / |g_u|) over all units u, where g_u is
   * sum(w_i * gradient of row i) over the rows i of the unit. Without groups each row is a unit. w is STEP_NAMES.weights, float32
   * [batch], 0 for rows that fill up; clip is STEP_NAMES.clip, float32 scalar. A unit whose gradient is not finite counts as zero.
   * STEP_NAMES.norms is |g_u| over all parameters, float32 [batch]; STEP_NAMES.loss is sum(w_i loss_i), float32 scalar.
   */
  readonly gradients: readonly string[];
  readonly masks: readonly DropoutMask[];
  /** True: STEP_NAMES.units, float32 [batch, batch], is 1 where the row of the second axis belongs to the unit of the first. */
  readonly grouped: boolean;
  /** Values that one row's gradient takes where it is written out: memory is this times the batch. */
  readonly writtenOut: number;
}

/**
 * As `differentiate`. `other`: of the same probe at another batch size, which tells where the batch is in each value. Throws
 * `model/no-record-gradients` where rows are to be trained one at a time, `model/refused` for a model that mixes rows, `model/bad-loss`.
 */
export function clippedGraph(
  model: ForwardModel,
  shapes: Shapes,
  other: Shapes,
  loss: Loss,
  grouped: boolean,
): ClippedGraph {
  refuseMixing(model, loss);
  const { builder, step, output, targets } = begin(model, shapes, loss);
  const { batchSize } = step;
  const names = model.parameters.map((slot) => slot.name);
  const placeOf = batchPlaces(model.graph, model.input.name, shapes, other);
  const records = new RecordGradients(batchSize, placeOf);
  const wanted = dependents(model.graph, names);
  const tape = new Tape(builder, model.graph, shapes, wanted, model.parameters, records);
  copyTraining(tape, model.graph, shapes);
  const weights = builder.input(STEP_NAMES.weights, 'float32', [batchSize]);
  const clip = builder.input(STEP_NAMES.clip, 'float32', []);
  const units = grouped ? builder.input(STEP_NAMES.units, 'float32', [batchSize, batchSize]) : undefined;
  const weighted = builder.emit('Mul', [loss.rowLosses(builder, output, targets), weights]);
  builder.emitNamed('ReduceSum', [weighted], [STEP_NAMES.loss], { keepdims: int(0) });
  builder.output(STEP_NAMES.loss, 'float32', []);

  const perRow = tape.reshape(weights, [batchSize, ...output.shape.slice(1).map(() => 1)]);
  tape.accumulate(output.name, tape.emit('Mul', [loss.rowGradient(builder, output, targets), perRow]));
  walkBackward(tape, model.graph);
  const { sums, norms, writtenOut } = cutAndAdd(tape, model.parameters, clip, units);
  builder.emitNamed('Identity', [norms], [STEP_NAMES.norms]);
  builder.output(STEP_NAMES.norms, 'float32', [batchSize]);
  const gradients = model.parameters.map((slot, at) => {
    const name = gradientName(slot);
    builder.emitNamed('Identity', [sums[at] ?? tape.zeros(slot.shape)], [name]);
    builder.output(name, 'float32', slot.shape);
    return name;
  });
  const { masks } = tape;
  return { ...step, bytes: builder.bytes(), nodeCount: builder.nodeCount, gradients, masks, grouped, writtenOut };
}

/** Throws `model/refused` or `model/bad-loss` where a gradient of one record does not exist. */
export function refuseMixing(model: ForwardModel, loss: Loss): void {
  if (loss.batchGradient !== undefined)
    throw new ModelError('model/bad-loss', `rows of the loss ${loss.kind} have no gradients of their own`, {
      remedy: 'train with a loss that looks at one record at a time',
    });
  if (model.statisticCount > 0)
    throw new ModelError(
      'model/refused',
      'BatchNormalization mixes the records of a batch, so that no record has a gradient of its own to be cut',
      { remedy: 'replace it by GroupNorm (torch.nn.GroupNorm) or LayerNorm and export again' },
    );
}
