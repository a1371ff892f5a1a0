// What a model means for a silo, before any job is made: what it would train, with which operators and how much memory, or every reason
// why it cannot. It runs ONNX Runtime in the calling thread, on zeros only, so it is for commands and not for services.

import {
  differentiate,
  elementCount,
  LOSSES,
  ModelError,
  readForwardModel,
  RULES,
  type ForwardModel,
  type LossKind,
  type ModelProblem,
  type ParameterSlot,
  type ReadOptions,
  type Shapes,
  type TrainingGraph,
} from '../model/index.js';
import { TrainerError } from './errors.js';
import { loadRuntime, measureShapes, openSession } from './runtime.js';

export interface InspectionOptions extends ReadOptions {
  /** Rows per step. */
  readonly batchSize: number;
}

export interface OperatorUse {
  readonly operator: string;
  readonly nodes: number;
  /** Whether a gradient passes through it. */
  readonly differentiable: boolean;
}

/** Bytes, estimated from shapes: what the runtime allocates beside them is not counted. */
export interface MemoryEstimate {
  readonly batchSize: number;
  /** Parameters, gradients and the optimiser's two moments. */
  readonly vectors: number;
  /** All values of the forward pass and as much again for their gradients; the runtime reuses some of it. */
  readonly step: number;
}

export type Inspection =
  | { readonly accepted: false; readonly problems: readonly ModelProblem[] }
  | {
      readonly accepted: true;
      readonly opset: number;
      readonly input: { readonly name: string; readonly type: string; readonly rowShape: readonly number[] };
      readonly output: { readonly name: string; readonly rowShape: readonly number[] };
      readonly standardised: boolean;
      readonly parameters: readonly ParameterSlot[];
      readonly parameterCount: number;
      readonly frozen: readonly string[];
      readonly operators: readonly OperatorUse[];
      readonly dropouts: number;
      readonly trainingNodes: number;
      /** Of each loss, why it cannot take this output; undefined where it can. */
      readonly losses: Readonly<Record<string, string | undefined>>;
      readonly memory: MemoryEstimate;
      /** What trains, but hardly as it was meant. */
      readonly warnings: readonly ModelProblem[];
    };

const FLOAT_BYTES = 4;
/** Parameters, gradients, and the two moments of Adam. */
const VECTORS = 4;

/** Never throws for what is wrong with the model: that is the answer. */
export async function inspectModel(bytes: Uint8Array, { batchSize, train }: InspectionOptions): Promise<Inspection> {
  try {
    const model = readForwardModel(bytes, train === undefined ? {} : { train });
    const runtime = await loadRuntime();
    const shapes = await measureShapes(runtime, model, batchSize);
    const { fitting, losses } = fittingLosses(model, shapes);
    if (fitting === undefined) return refused('model output', 'no loss takes an output of this shape');
    const session = await openSession(runtime, fitting.bytes);
    await session.release();
    return {
      accepted: true,
      opset: model.opset,
      input: model.input,
      output: { name: model.output.name, rowShape: fitting.outputShape.slice(1) },
      standardised: model.standardised,
      parameters: model.parameters,
      parameterCount: model.parameterCount,
      frozen: model.frozen,
      operators: operatorsOf(model),
      dropouts: fitting.masks.length,
      trainingNodes: fitting.nodeCount,
      losses,
      memory: memoryOf(model, shapes, batchSize),
      warnings: squashedOutput(model),
    };
  } catch (error) {
    if (error instanceof ModelError && error.problems.length > 0) return { accepted: false, problems: error.problems };
    if (error instanceof ModelError || error instanceof TrainerError) return refused('model', error.message);
    throw error;
  }
}

function refused(place: string, what: string): Inspection {
  return { accepted: false, problems: [{ place, what }] };
}

/** Throws what is wrong with the model whatever the loss. */
function fittingLosses(
  model: ForwardModel,
  shapes: Shapes,
): { readonly fitting: TrainingGraph | undefined; readonly losses: Readonly<Record<string, string | undefined>> } {
  let fitting: TrainingGraph | undefined;
  const losses: Record<string, string | undefined> = {};
  // Object.keys forgets that the keys are the names of losses.
  for (const kind of Object.keys(LOSSES) as LossKind[])
    try {
      fitting = differentiate(model, shapes, LOSSES[kind]);
      losses[kind] = undefined;
    } catch (error) {
      if (!(error instanceof ModelError) || error.code !== 'model/bad-shape') throw error;
      losses[kind] = error.message;
    }
  return { fitting, losses };
}

/** Squash the output to (0, 1): the cross-entropies do so themselves, and would do it twice. */
const SQUASHING = new Set(['Sigmoid', 'HardSigmoid', 'Softmax', 'LogSoftmax']);
/** Change no value. */
const PASSING = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Cast']);

function squashedOutput({ graph, output }: ForwardModel): readonly ModelProblem[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  let last = makers.get(output.name);
  while (last !== undefined && PASSING.has(last.operator)) last = makers.get(last.inputs[0] ?? '');
  if (last === undefined || !SQUASHING.has(last.operator)) return [];
  return [
    {
      place: `output ${output.name}`,
      what: `ends in ${last.operator}; binary-cross-entropy, focal and softmax-cross-entropy want the logits before it`,
    },
  ];
}

function operatorsOf(model: ForwardModel): readonly OperatorUse[] {
  const counts = new Map<string, number>();
  for (const { operator } of model.graph.nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts]
    .map(([operator, nodes]) => ({ operator, nodes, differentiable: RULES.get(operator)?.backward !== undefined }))
    .sort((a, b) => b.nodes - a.nodes || (a.operator < b.operator ? -1 : 1));
}

function memoryOf(model: ForwardModel, shapes: Shapes, batchSize: number): MemoryEstimate {
  const computed = new Set(model.graph.nodes.flatMap((node) => node.outputs));
  let values = 0;
  for (const [name, { shape, data }] of shapes)
    if (computed.has(name) && data === undefined) values += elementCount(shape);
  return { batchSize, vectors: VECTORS * FLOAT_BYTES * model.parameterCount, step: 2 * FLOAT_BYTES * values };
}
