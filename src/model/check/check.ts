// Decides whether a model file may be trained. It comes from outside and runs on private records, so it is an allow-list: what is
// not known to be harmless and differentiable is refused, when the job is created and again by every silo.

import { LIMITS } from '../../base/index.js';
import { RULES } from '../autodiff/rules.js';
import type { Problems } from '../errors.js';
import type { GraphProto, ModelProto } from '../gen/onnx/onnx.js';
import { readGraph } from '../graph/read.js';
import type { Graph, ValueInfo } from '../graph/types.js';
import { elementCount, showShape } from '../graph/types.js';
import { checkNode } from './attributes.js';
import { checkDataflow } from './dataflow.js';

/** Softmax and ReduceSum have had today's meaning since 13; operator sets above 23 have not been tried. */
export const OPSET_MIN = 13;
export const OPSET_MAX = 23;

/** Reads the graph and reports everything that forbids training it. */
export function checkModel(proto: ModelProto & { readonly graph: GraphProto }, problems: Problems): Graph {
  const opset = checkEnvelope(proto, problems);
  const graph = readGraph(proto.graph, opset, problems);
  for (const node of graph.nodes) {
    const rule = RULES.get(node.operator);
    if (rule === undefined) problems.add(`node ${node.name}`, `no gradient for operator ${node.operator}`);
    else checkNode(node, rule, opset, problems);
  }
  checkDataflow(graph, problems);
  checkInput(graph.inputs, problems);
  checkOutput(graph.outputs, problems);
  return graph;
}

function checkEnvelope(proto: ModelProto & { readonly graph: GraphProto }, problems: Problems): number {
  if (proto.trainingInfo.length > 0) problems.add('model', 'carries training instructions');
  if (proto.graph.sparseInitializer.length > 0) problems.add('model', 'has sparse initialisers');
  let opset = 0;
  for (const { domain, version } of proto.opsetImport) {
    if (domain !== '' && domain !== 'ai.onnx') problems.add('model', `imports the foreign domain ${domain}`);
    else opset = Number(version);
  }
  if (opset < OPSET_MIN || opset > OPSET_MAX)
    problems.add('model', `operator set ${String(opset)} is outside ${String(OPSET_MIN)} to ${String(OPSET_MAX)}`);
  return opset;
}

/** One float32 or int64 input whose first axis is a free batch and whose other axes are fixed. */
function checkInput(inputs: readonly ValueInfo[], problems: Problems): void {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    problems.add('model input', `one input is expected, the model has ${String(inputs.length)}`);
    return;
  }
  const place = `model input ${input.name}`;
  if (input.type !== 'float32' && input.type !== 'int64') problems.add(place, 'must be a float32 or int64 tensor');
  const shape = input.shape ?? [];
  const [batch, ...rest] = shape;
  if (typeof batch !== 'string')
    problems.add(
      place,
      `the first axis of ${showShape(shape)} must be a symbolic batch; export with a dynamic batch axis`,
    );
  if (!rest.every((extent) => typeof extent === 'number' && Number.isSafeInteger(extent) && extent > 0))
    problems.add(place, `all axes of ${showShape(shape)} but the first must be fixed`);
  else if (elementCount(rest.map(Number)) > LIMITS.modelRowMax)
    problems.add(place, `a row of ${showShape(shape)} has more than ${String(LIMITS.modelRowMax)} values`);
}

function checkOutput(outputs: readonly ValueInfo[], problems: Problems): void {
  const [output] = outputs;
  if (output === undefined || outputs.length > 1)
    problems.add('model output', `one output is expected, the model has ${String(outputs.length)}`);
  else if (output.type !== undefined && output.type !== 'float32')
    problems.add(`model output ${output.name}`, 'must be a float32 tensor');
}
