// Damages model files on purpose: decodes, lets a test change what it likes, encodes again.

import {
  AttributeProto_AttributeType,
  ModelProto,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
} from '../../src/model/gen/onnx/onnx.js';

export type OpenModel = ModelProto & { graph: GraphProto };

export function operateOn(bytes: Uint8Array, change: (model: OpenModel) => void): Uint8Array {
  // Decoding shares memory with its input, which other tests use too.
  const model = ModelProto.decode(bytes.slice());
  change(model as OpenModel);
  return ModelProto.encode(model).finish();
}

export function attribute(name: string, fields: Partial<AttributeProto>): AttributeProto {
  return {
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
    type: AttributeProto_AttributeType.UNDEFINED,
    refAttrName: '',
    ...fields,
  };
}

export function node(fields: Partial<NodeProto>): NodeProto {
  return {
    input: [],
    output: [],
    name: '',
    opType: '',
    attribute: [],
    docString: '',
    domain: '',
    overload: '',
    ...fields,
  };
}

export function functionOf(fields: Partial<FunctionProto>): FunctionProto {
  return {
    name: '',
    input: [],
    output: [],
    attribute: [],
    node: [],
    opsetImport: [],
    domain: '',
    attributeProto: [],
    overload: '',
    ...fields,
  };
}

export { AttributeProto_AttributeType, TensorProto_DataLocation } from '../../src/model/gen/onnx/onnx.js';
