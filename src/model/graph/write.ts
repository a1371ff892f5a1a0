// From a graph to the bytes of a model file.

import { utf8 } from '../../base/index.js';
import {
  AttributeProto_AttributeType as Kind,
  ModelProto,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorShapeProto_Dimension,
  type ValueInfoProto,
} from '../gen/onnx/onnx.js';
import { writeTensor } from './tensor.js';
import { DATA_TYPE, type Attribute, type Graph, type GraphNode, type ValueInfo } from './types.js';

/** IR version 8 (ONNX 1.10): the newest that every runtime reading opset 17 accepts. */
const IR_VERSION = 8n;

export function writeNode(node: GraphNode): NodeProto {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.name,
    opType: node.operator,
    attribute: [...node.attributes].map(([name, attribute]) => writeAttribute(name, attribute)),
    docString: '',
    domain: '',
    overload: '',
  };
}

function writeAttribute(name: string, attribute: Attribute): AttributeProto {
  const proto: AttributeProto = {
    name,
    f: 0,
    i: 0n,
    s: new Uint8Array(0),
    t: undefined,
    g: undefined,
    floats: [],
    ints: [],
    strings: [],
    docString: '',
    type: Kind.UNDEFINED,
    refAttrName: '',
  };
  switch (attribute.kind) {
    case 'float':
      return { ...proto, type: Kind.FLOAT, f: attribute.value };
    case 'int':
      return { ...proto, type: Kind.INT, i: BigInt(attribute.value) };
    case 'floats':
      return { ...proto, type: Kind.FLOATS, floats: [...attribute.value] };
    case 'ints':
      return { ...proto, type: Kind.INTS, ints: attribute.value.map(BigInt) };
    case 'string':
      return { ...proto, type: Kind.STRING, s: utf8(attribute.value) };
    case 'strings':
      return { ...proto, type: Kind.STRINGS, strings: attribute.value.map((value) => utf8(value)) };
    case 'graph':
      return { ...proto, type: Kind.GRAPH, g: writeGraph(attribute.value, 'body') };
    case 'tensor':
      return { ...proto, type: Kind.TENSOR, t: writeTensor('', attribute.value) };
  }
}

function writeDimension(extent: number | string): TensorShapeProto_Dimension {
  return {
    value:
      typeof extent === 'number' ? { $case: 'dimValue', value: BigInt(extent) } : { $case: 'dimParam', value: extent },
    denotation: '',
  };
}

function writeValueInfo(info: ValueInfo): ValueInfoProto {
  // An output without a type is legal for the runtime, which then infers it.
  if (info.type === undefined) return { name: info.name, type: undefined, docString: '' };
  const shape = info.shape === undefined ? undefined : { dim: info.shape.map(writeDimension) };
  return {
    name: info.name,
    type: {
      value: { $case: 'tensorType', value: { elemType: DATA_TYPE[info.type], shape } },
      denotation: '',
    },
    docString: '',
  };
}

function writeGraph(graph: Graph, name: string): GraphProto {
  return {
    node: graph.nodes.map(writeNode),
    name,
    initializer: [...graph.initialisers].map(([initialiser, tensor]) => writeTensor(initialiser, tensor)),
    docString: '',
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    valueInfo: [],
    sparseInitializer: [],
  };
}

export function encodeGraph(graph: Graph): Uint8Array {
  const proto: ModelProto = {
    irVersion: IR_VERSION,
    producerName: 'veilsum',
    producerVersion: '',
    domain: '',
    modelVersion: 0n,
    docString: '',
    graph: writeGraph(graph, 'veilsum'),
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    metadataProps: [],
    trainingInfo: [],
    functions: [],
  };
  return encodeModel(proto);
}

export function encodeModel(proto: ModelProto): Uint8Array {
  return ModelProto.encode(proto).finish();
}
