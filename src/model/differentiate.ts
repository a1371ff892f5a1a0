// From a forward model to the two graphs that a silo runs on private records: one training step and one evaluation step. Both are
// built here from the checked model; a training graph from outside is never run, since it could copy a record into a "gradient".

import { defined } from '../base/index.js';
import { dependents, walkBackward } from './autodiff/backward.js';
import { RULES } from './autodiff/rules.js';
import { Tape, type BatchStatistic, type DropoutMask } from './autodiff/tape.js';
import type { Measured, Shapes } from './graph/measured.js';
import { ModelError } from './errors.js';
import type { ForwardModel } from './forward.js';
import { int } from './graph/attribute.js';
import { GraphBuilder } from './graph/builder.js';
import { showShape, type Graph, type GraphNode, type Tensor } from './graph/types.js';
import type { Loss, LossOutput } from './loss/loss.js';
import type { ParameterSlot } from './slot.js';
import { predictionGraph } from './predict.js';

/** Emitted operators (ReduceSum, Pad, scatter with addition) are used in the form they have had since 17. */
const EMITTED_OPSET_MIN = 17;

/** Names of what the caller feeds and fetches beside the model's input and its parameters. */
export const STEP_NAMES = {
  targets: 'veilsum.targets',
  weights: 'veilsum.weights',
  loss: 'veilsum.loss',
  rowLosses: 'veilsum.row_losses',
  scores: 'veilsum.scores',
  clip: 'veilsum.clip',
  units: 'veilsum.units',
  norms: 'veilsum.norms',
} as const;

export interface StepGraph {
  readonly bytes: Uint8Array;
  readonly batchSize: number;
  /** Float32 [batch, ...row]. */
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  /** Named STEP_NAMES.targets. */
  readonly targets: { readonly type: 'float32' | 'int64'; readonly shape: readonly number[] };
  /** Class labels lie below this; undefined where targets are numbers. */
  readonly classes: number | undefined;
  /** Parameters are float32 inputs under their own names. */
  readonly parameters: readonly ParameterSlot[];
  readonly outputShape: readonly number[];
  readonly nodeCount: number;
}

export interface TrainingGraph extends StepGraph {
  /**
   * Name of each parameter's gradient, in the order of `parameters`: of sum(w_i loss_i) / sum(w_i), where w is the input
   * STEP_NAMES.weights, float32 [batch], not all zero. STEP_NAMES.loss is that mean itself, float32 scalar.
   */
  readonly gradients: readonly string[];
  /** Inputs to fill before each step. */
  readonly masks: readonly DropoutMask[];
  /** Running statistics to renew after each step. With any, rows of a batch act on each other: fill a last batch with real rows. */
  readonly statistics: readonly BatchStatistic[];
}

/**
 * Emits the graph of one training step for a fixed batch size. `shapes` come from running `probeGraph` at the same batch size.
 * Rows that only fill the last batch get weight 0 and change nothing. Throws `model/bad-shape` or `model/refused`.
 */
export function differentiate(model: ForwardModel, shapes: Shapes, loss: Loss): TrainingGraph {
  const { builder, step, output, targets } = begin(model, shapes, loss);
  const { batchSize } = step;
  const names = model.parameters.filter((slot) => slot.statistic !== true).map((slot) => slot.name);
  const tape = new Tape(builder, model.graph, shapes, dependents(model.graph, names), model.parameters);
  copyTraining(tape, model.graph, shapes);
  const weights = builder.input(STEP_NAMES.weights, 'float32', [batchSize]);
  const total = builder.emit('ReduceSum', [weights], { keepdims: int(0) });
  const share = builder.emit('Div', [weights, total]);
  const weighted = builder.emit('Mul', [loss.rowLosses(builder, output, targets), share]);
  builder.emitNamed('ReduceSum', [weighted], [STEP_NAMES.loss], { keepdims: int(0) });
  builder.output(STEP_NAMES.loss, 'float32', []);

  tape.accumulate(output.name, outputGradient(tape, loss, output, targets, share));
  walkBackward(tape, model.graph);
  const gradients = model.parameters.map((slot) => emitGradient(tape, slot));
  for (const { output: name, slot } of tape.statistics) builder.output(name, 'float32', slot.shape);
  const { masks, statistics } = tape;
  return { ...step, bytes: builder.bytes(), nodeCount: builder.nodeCount, gradients, masks, statistics };
}

/** Emits d(sum_i share_i * loss of row i) / d(output). */
function outputGradient(tape: Tape, loss: Loss, output: LossOutput, targets: string, share: string): string {
  const { builder } = tape;
  if (loss.batchGradient !== undefined) return loss.batchGradient(builder, output, targets, share);
  const perRow = tape.reshape(
    share,
    output.shape.map((extent, axis) => (axis === 0 ? extent : 1)),
  );
  return tape.emit('Mul', [loss.rowGradient(builder, output, targets), perRow]);
}

/** Emits the graph of one evaluation step: STEP_NAMES.rowLosses [batch] and STEP_NAMES.scores of the output's shape. */
export function evaluationGraph(model: ForwardModel, shapes: Shapes, loss: Loss): StepGraph {
  const { builder, step, output, targets } = begin(model, shapes, loss);
  copyNodes(builder, predictionGraph(model.graph), shapes, (node) => {
    builder.copy(node);
  });
  builder.emitNamed('Identity', [loss.rowLosses(builder, output, targets)], [STEP_NAMES.rowLosses]);
  builder.output(STEP_NAMES.rowLosses, 'float32', [step.batchSize]);
  builder.emitNamed('Identity', [loss.scores(builder, output)], [STEP_NAMES.scores]);
  builder.output(STEP_NAMES.scores, 'float32', output.shape);
  return { ...step, bytes: builder.bytes(), nodeCount: builder.nodeCount };
}

/** Emits the forward pass as training computes it. */
export function copyTraining(tape: Tape, graph: Graph, shapes: Shapes): void {
  copyNodes(tape.builder, graph, shapes, (node) => {
    const train = RULES.get(node.operator)?.train;
    if (train === undefined) tape.builder.copy(node);
    else train(tape, node);
  });
}

/** Hands each node on, save those whose values the probe has measured for good: they become constants. */
function copyNodes(builder: GraphBuilder, graph: Graph, shapes: Shapes, copy: (node: GraphNode) => void): void {
  for (const node of graph.nodes) {
    const tensors = node.outputs.map((name) => [name, knownTensor(shapes.get(name))] as const);
    if (tensors.some(([, tensor]) => tensor === undefined)) copy(node);
    else for (const [name, tensor] of tensors) if (tensor !== undefined) builder.initialiser(name, tensor);
  }
}

function knownTensor(measured: Measured | undefined): Tensor | undefined {
  // Type and data come from one result of the runtime, so they belong together.
  return measured?.data === undefined ? undefined : (measured as Tensor);
}

/** What both graphs share: inputs, parameters as inputs and constants. */
export function begin(model: ForwardModel, shapes: Shapes, loss: Loss) {
  const { graph, input } = model;
  const inputShape = measured(shapes, input.name);
  const outputShape = measured(shapes, model.output.name);
  const batchSize = defined(inputShape[0], 'the batch axis of the probed input');
  if (outputShape[0] !== batchSize)
    throw new ModelError(
      'model/bad-shape',
      `an input of ${showShape(inputShape)} gives an output of ${showShape(outputShape)}, whose first axis is not the batch`,
      { remedy: 'look for a Reshape that fixes the batch size and export with a dynamic batch axis' },
    );
  const builder = new GraphBuilder(Math.max(graph.opset, EMITTED_OPSET_MIN));
  builder.input(input.name, 'float32', inputShape);
  const targetShape = loss.targetShape(outputShape);
  const targets = builder.input(STEP_NAMES.targets, loss.targetType, targetShape);
  for (const slot of model.parameters) builder.input(slot.name, 'float32', slot.shape);
  const trained = new Set(model.parameters.map((slot) => slot.name));
  for (const [name, tensor] of graph.initialisers) if (!trained.has(name)) builder.initialiser(name, tensor);
  const step = {
    batchSize,
    input: { name: input.name, shape: inputShape },
    targets: { type: loss.targetType, shape: targetShape },
    classes: loss.classes(outputShape),
    parameters: model.parameters,
    outputShape,
  };
  return { builder, step, output: { name: model.output.name, shape: outputShape }, targets };
}

function measured(shapes: Shapes, name: string): readonly number[] {
  const found = shapes.get(name);
  if (found === undefined) throw new ModelError('model/bad-shape', `the probe measured no shape for ${name}`);
  return found.shape;
}

/** Name of the output with a parameter's gradient. */
export function gradientName({ name }: ParameterSlot): string {
  return `veilsum.gradient.${name}`;
}

/** Names a parameter's gradient as an output; zero where the loss does not depend on the parameter. */
function emitGradient(tape: Tape, slot: ParameterSlot): string {
  const { builder } = tape;
  const name = gradientName(slot);
  builder.emitNamed('Identity', [tape.gradientOf(slot.name) ?? tape.zeros(slot.shape)], [name]);
  builder.output(name, 'float32', slot.shape);
  return name;
}
