// The forward model: what a data scientist exports and what all silos train. Its trainable parameters are one flat vector.

import { defined, LIMITS } from '../base/index.js';
import { checkModel } from './check/check.js';
import { RULES } from './autodiff/rules.js';
import { ModelError, Problems } from './errors.js';
import type { GraphProto, ModelProto } from './gen/onnx/onnx.js';
import { resolveAliases } from './graph/alias.js';
import { decodeModel } from './graph/read.js';
import { writeTensor } from './graph/tensor.js';
import { elementCount, type Graph } from './graph/types.js';
import { encodeModel } from './graph/write.js';
import { isStandardisationName } from './standardise/names.js';

/** Where one parameter lies in the flat vector; offset and length count elements. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export interface ForwardModel {
  readonly opset: number;
  /** Shape of one row: the input's shape without its batch axis. */
  readonly input: { readonly name: string; readonly rowShape: readonly number[] };
  readonly output: { readonly name: string };
  /**
   * Trainable parameters in the order of the file's initialisers: float32, at least one axis, and the output depends on them
   * by way of a differentiable input. Scalars are constants of the model, and so is a standardisation.
   */
  readonly parameters: readonly ParameterSlot[];
  /** Length of the flat vector. */
  readonly parameterCount: number;
  readonly standardised: boolean;
  /** The checked graph with shared weights resolved. */
  readonly graph: Graph;
  /** The file as it came, for writing it back. */
  readonly source: ModelProto & { readonly graph: GraphProto };
}

/**
 * Reads and checks a model file. Throws `model/too-large`, `model/not-onnx`, `model/refused` (listing every problem) or
 * `model/no-parameters`.
 */
export function readForwardModel(bytes: Uint8Array): ForwardModel {
  const source = decodeModel(bytes);
  const problems = new Problems();
  const checked = checkModel(source, problems);
  problems.throwIfAny();
  const graph = resolveAliases(checked);
  const parameters = findParameters(graph, problems);
  problems.throwIfAny();
  const last = parameters.at(-1);
  if (last === undefined)
    throw new ModelError('model/no-parameters', 'no float32 initialiser can be trained', {
      remedy: 'export the model with its weights inside, not folded into constants',
    });
  const parameterCount = last.offset + last.length;
  if (parameterCount > LIMITS.vectorLengthMax)
    throw new ModelError(
      'model/too-large',
      `${String(parameterCount)} parameters, at most ${String(LIMITS.vectorLengthMax)}`,
    );
  const input = defined(graph.inputs[0], 'the input that the check found');
  return {
    opset: graph.opset,
    input: { name: input.name, rowShape: defined(input.shape, 'the checked input shape').slice(1).map(Number) },
    output: { name: defined(graph.outputs[0], 'the output that the check found').name },
    parameters,
    parameterCount,
    standardised: usesStandardisationNames(graph),
    graph,
    source,
  };
}

function findParameters(graph: Graph, problems: Problems): ParameterSlot[] {
  const alive = liveValues(graph);
  const trained = new Set<string>();
  const steering = new Set<string>();
  for (const node of graph.nodes) {
    if (!node.outputs.some((output) => alive.has(output))) continue;
    const rule = defined(RULES.get(node.operator), `rule for ${node.operator}`);
    for (const [at, name] of node.inputs.entries())
      (rule.steeringInputs?.includes(at) === true ? steering : trained).add(name);
  }
  const slots: ParameterSlot[] = [];
  let offset = 0;
  for (const [name, tensor] of graph.initialisers) {
    if (!trained.has(name) || tensor.shape.length === 0 || isStandardisationName(name)) continue;
    if (tensor.type === 'float64') problems.add(`initialiser ${name}`, 'is float64; export the model in float32');
    if (tensor.type !== 'float32') continue;
    if (steering.has(name))
      problems.add(`initialiser ${name}`, 'serves as a parameter and as a setting of an operator');
    const length = elementCount(tensor.shape);
    if (length === 0) continue;
    slots.push({ name, shape: tensor.shape, offset, length });
    offset += length;
  }
  return slots;
}

function usesStandardisationNames(graph: Graph): boolean {
  const computed = graph.nodes.flatMap((node) => node.outputs);
  return [...graph.initialisers.keys(), ...computed].some(isStandardisationName);
}

/** The values that the model's output depends on. */
function liveValues(graph: Graph): Set<string> {
  const alive = new Set(graph.outputs.map((output) => output.name));
  for (const node of [...graph.nodes].reverse())
    if (node.outputs.some((output) => alive.has(output))) for (const input of node.inputs) alive.add(input);
  return alive;
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

/** The same model file with other parameters: opens in any ONNX runtime. Throws `model/bad-parameters`. */
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
  return encodeModel({ ...model.source, graph: { ...model.source.graph, initializer } });
}
