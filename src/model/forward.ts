// The forward model: what a data scientist exports and what all silos train. Its trainable parameters are one flat vector.

import { defined, LIMITS } from '../base/index.js';
import { checkModel } from './check/check.js';
import { ModelError, Problems } from './errors.js';
import type { GraphProto, ModelProto } from './gen/onnx/onnx.js';
import { resolveAliases } from './graph/alias.js';
import { decodeModel } from './graph/read.js';
import { readTensor, writeTensor } from './graph/tensor.js';
import { sameShape, showShape, type Graph } from './graph/types.js';
import { encodeModel } from './graph/write.js';
import { importModel } from './import/import.js';
import { withFloatInput } from './import/integer-input.js';
import { findParameters } from './parameters.js';
import { predicting } from './predict.js';
import type { ParameterSlot } from './slot.js';
import { isStandardisationName } from './standardise/names.js';

export interface ForwardModel {
  readonly opset: number;
  /** Shape of one row: the input's shape without its batch axis. */
  readonly input: { readonly name: string; readonly rowShape: readonly number[]; readonly type: 'float32' | 'int64' };
  readonly output: { readonly name: string };
  /**
   * The vector: initialisers that are float32, have at least one axis, and that the output depends on by way of a differentiable
   * input, in the order of the file; behind them running statistics. Scalars are constants of the model, and so is a standardisation.
   */
  readonly parameters: readonly ParameterSlot[];
  /** Names that could be in the vector and were not chosen; they keep the values of the file. */
  readonly frozen: readonly string[];
  /** Length of the flat vector. */
  readonly parameterCount: number;
  /** How many values, at the end of the vector, are running statistics. */
  readonly statisticCount: number;
  readonly standardised: boolean;
  /** The checked graph with shared weights resolved; its input is float32 in any case. */
  readonly graph: Graph;
  /** The file, for writing it back: as it came, or with functions inlined and foreign operators rewritten. */
  readonly source: ModelProto & { readonly graph: GraphProto };
}

export interface ReadOptions {
  /** Names of the parameters to train, `*` for any characters; all when absent. */
  readonly train?: readonly string[];
  /** Names of parameters that stay out of the vector although they could be trained; none when absent. */
  readonly local?: readonly string[];
}

/**
 * Reads and checks a model file. Throws `model/too-large`, `model/not-onnx`, `model/refused` (listing every problem) or
 * `model/no-parameters`.
 */
export function readForwardModel(bytes: Uint8Array, { train, local = [] }: ReadOptions = {}): ForwardModel {
  const problems = new Problems();
  const source = importModel(decodeModel(bytes), problems);
  problems.throwIfAny();
  const checked = checkModel(source, problems);
  problems.throwIfAny();
  const input = defined(checked.inputs[0], 'the input that the check found');
  const graph = resolveAliases(withFloatInput(checked));
  const { slots: parameters, frozen } = findParameters(graph, train, local, problems);
  problems.throwIfAny();
  const last = parameters.at(-1);
  // Running statistics come last: where the first one is, all are, and there is nothing to train.
  if (last === undefined || parameters[0]?.statistic === true)
    throw new ModelError('model/no-parameters', 'no float32 initialiser can be trained', {
      remedy: 'export the model with its weights inside, not folded into constants',
    });
  const parameterCount = last.offset + last.length;
  if (parameterCount > LIMITS.vectorLengthMax)
    throw new ModelError(
      'model/too-large',
      `${String(parameterCount)} parameters, at most ${String(LIMITS.vectorLengthMax)}`,
    );
  return {
    opset: graph.opset,
    input: {
      name: input.name,
      rowShape: defined(input.shape, 'the checked input shape').slice(1).map(Number),
      type: input.type === 'int64' ? 'int64' : 'float32',
    },
    output: { name: defined(graph.outputs[0], 'the output that the check found').name },
    parameters,
    frozen,
    parameterCount,
    statisticCount: parameters.reduce((sum, slot) => sum + (slot.statistic === true ? slot.length : 0), 0),
    standardised: usesStandardisationNames(graph),
    graph,
    source,
  };
}

function usesStandardisationNames(graph: Graph): boolean {
  const computed = graph.nodes.flatMap((node) => node.outputs);
  return [...graph.initialisers.keys(), ...computed].some(isStandardisationName);
}

/** The parameters as they stand in the model file. */
export function initialParameters(model: ForwardModel): Float32Array {
  const flat = new Float32Array(model.parameterCount);
  for (const slot of model.parameters) {
    const tensor = model.graph.initialisers.get(slot.name);
    if (tensor?.type === 'float32') flat.set(tensor.data, slot.offset);
  }
  assertParameters(model, flat);
  return flat;
}

/**
 * The values of `model`'s parameters in another file with initialisers of the same names, such as one that `withParameters` wrote.
 * Throws `model/not-onnx`, `model/too-large` or `model/bad-parameters`.
 */
export function parametersIn(model: ForwardModel, bytes: Uint8Array): Float32Array {
  const problems = new Problems();
  const { graph } = decodeModel(bytes);
  const entries = new Map(graph.initializer.map((entry) => [entry.name, entry]));
  const flat = new Float32Array(model.parameterCount);
  for (const { name, shape, offset } of model.parameters) {
    const entry = entries.get(name);
    const tensor = entry === undefined ? undefined : readTensor(entry, `initialiser ${name}`, problems);
    if (tensor?.type !== 'float32' || !sameShape(tensor.shape, shape))
      throw new ModelError('model/bad-parameters', `the file holds no float32 ${name} of shape ${showShape(shape)}`);
    flat.set(tensor.data, offset);
  }
  assertParameters(model, flat);
  return flat;
}

/** Throws `model/bad-parameters` unless `parameters` has the model's length and holds finite values only. */
export function assertParameters(model: ForwardModel, parameters: Float32Array): void {
  if (parameters.length !== model.parameterCount)
    throw new ModelError(
      'model/bad-parameters',
      `${String(parameters.length)} parameters where the model has ${String(model.parameterCount)}`,
    );
  const at = parameters.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new ModelError('model/bad-parameters', `parameter ${String(at)} is not finite`);
}

/**
 * The model file with other parameters, for prediction: without dropout, normalised by running statistics. Opens in any ONNX runtime.
 * Throws `model/bad-parameters`.
 */
export function withParameters(model: ForwardModel, parameters: Float32Array): Uint8Array {
  assertParameters(model, parameters);
  const slots = new Map(model.parameters.map((slot) => [slot.name, slot]));
  const initializer = model.source.graph.initializer.map((entry) => {
    const slot = slots.get(entry.name);
    if (slot === undefined) return entry;
    const data = parameters.subarray(slot.offset, slot.offset + slot.length);
    return {
      ...entry,
      ...writeTensor(entry.name, { type: 'float32', shape: slot.shape, data }),
      docString: entry.docString,
    };
  });
  const node = model.source.graph.node.map(predicting);
  return encodeModel({ ...model.source, graph: { ...model.source.graph, node, initializer } });
}
