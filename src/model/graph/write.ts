// From a graph to the bytes of a model file.

import { ModelProto, type NodeProto, type TensorShapeProto_Dimension, type ValueInfoProto } from '../gen/onnx/onnx.js';
import { writeAttribute } from './attribute.js';
import { writeTensor } from './tensor.js';
import { DATA_TYPE, type Graph, type GraphNode, type ValueInfo } from './types.js';

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
  };
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

export function encodeGraph(graph: Graph): Uint8Array {
  const proto: ModelProto = {
    irVersion: IR_VERSION,
    producerName: 'veilsum',
    producerVersion: '',
    domain: '',
    modelVersion: 0n,
    docString: '',
    graph: {
      node: graph.nodes.map(writeNode),
      name: 'veilsum',
      initializer: [...graph.initialisers].map(([name, tensor]) => writeTensor(name, tensor)),
      docString: '',
      input: graph.inputs.map(writeValueInfo),
      output: graph.outputs.map(writeValueInfo),
      valueInfo: [],
      sparseInitializer: [],
    },
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
