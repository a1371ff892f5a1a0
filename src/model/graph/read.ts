// From the bytes of a model file to a graph. Nothing here knows which operators are allowed; check/ does. Everything that is
// wrong is reported to `problems`, so one reading lists all of it.

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { fromUtf8, LIMITS } from '../../base/index.js';
import { ModelError, type Problems } from '../errors.js';
import { ModelProto, type GraphProto, type NodeProto, type ValueInfoProto } from '../gen/onnx/onnx.js';
import { readAttribute } from './attribute.js';
import { readTensor } from './tensor.js';
import { elementTypeOf, type Attribute, type Graph, type GraphNode, type Tensor, type ValueInfo } from './types.js';

/** Throws `model/too-large` or `model/not-onnx`. The result shares memory with `bytes`. */
export function decodeModel(bytes: Uint8Array): ModelProto & { readonly graph: GraphProto } {
  if (bytes.length > LIMITS.modelBytes)
    throw new ModelError('model/too-large', `${String(bytes.length)} bytes, at most ${String(LIMITS.modelBytes)}`);
  const proto = tryDecode(bytes);
  const { graph } = proto;
  if (graph === undefined || proto.opsetImport.length === 0)
    throw new ModelError('model/not-onnx', 'the bytes hold no graph or name no operator set');
  if (graph.node.length > LIMITS.modelNodesMax)
    throw new ModelError(
      'model/too-large',
      `${String(graph.node.length)} nodes, at most ${String(LIMITS.modelNodesMax)}`,
    );
  return { ...proto, graph };
}

class TooManyFields extends Error {}

/** Counts what becomes an object: an empty node is two bytes in the file and several hundred in memory. */
class CountingReader extends BinaryReader {
  constructor(bytes: Uint8Array) {
    super(bytes, fromUtf8);
    const read = this.uint32;
    let numbers = 0;
    this.uint32 = () => {
      if (++numbers > LIMITS.modelNumbersMax) throw new TooManyFields();
      return read.call(this);
    };
  }
}

function tryDecode(bytes: Uint8Array): ModelProto {
  try {
    return ModelProto.decode(new CountingReader(bytes));
  } catch (cause) {
    if (cause instanceof TooManyFields)
      throw new ModelError('model/too-large', `more than ${String(LIMITS.modelNumbersMax)} fields`);
    // Malformed fields throw; so does a nesting deep enough to exhaust the stack.
    throw new ModelError('model/not-onnx', 'the bytes do not decode as an ONNX model', { cause });
  }
}

export function readGraph(proto: GraphProto, opset: number, problems: Problems): Graph {
  const initialisers = new Map<string, Tensor>();
  for (const entry of proto.initializer) {
    const place = `initialiser ${entry.name}`;
    const tensor = readTensor(entry, place, problems);
    if (initialisers.has(entry.name)) problems.add(place, 'the name occurs twice');
    if (tensor !== undefined) initialisers.set(entry.name, tensor);
  }
  // Up to IR version 3 every initialiser was an input too.
  const named = new Set(proto.initializer.map((entry) => entry.name));
  return {
    opset,
    nodes: proto.node.map((node, position) => readNode(node, position, problems)),
    initialisers,
    inputs: proto.input.filter((input) => !named.has(input.name)).map((input) => readValueInfo(input)),
    outputs: proto.output.map((output) => readValueInfo(output)),
  };
}

export function readNode(proto: NodeProto, position: number, problems: Problems): GraphNode {
  const name = proto.name === '' ? `${proto.opType}#${String(position)}` : proto.name;
  const place = `node ${name}`;
  if (proto.domain !== '' && proto.domain !== 'ai.onnx')
    problems.add(place, `operator ${proto.opType} of the foreign domain ${proto.domain}`);
  const attributes = new Map<string, Attribute>();
  for (const entry of proto.attribute) {
    if (attributes.has(entry.name)) problems.add(place, `attribute ${entry.name} occurs twice`);
    const attribute = readAttribute(entry, place, problems);
    if (attribute !== undefined) attributes.set(entry.name, attribute);
  }
  return { name, operator: proto.opType, inputs: proto.input, outputs: proto.output, attributes };
}

function readValueInfo(proto: ValueInfoProto): ValueInfo {
  const tensor = proto.type?.value?.$case === 'tensorType' ? proto.type.value.value : undefined;
  if (tensor === undefined) return { name: proto.name };
  const type = elementTypeOf(tensor.elemType);
  const shape = tensor.shape?.dim.map(({ value }) =>
    value?.$case === 'dimValue' ? Number(value.value) : value?.$case === 'dimParam' ? value.value : '?',
  );
  return { name: proto.name, ...(type === undefined ? {} : { type }), ...(shape === undefined ? {} : { shape }) };
}
