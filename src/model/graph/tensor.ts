// Tensors in and out of the file format. Bytes are little-endian in the format whatever the machine, so they go through a DataView.

import { TensorProto_DataLocation, type TensorProto } from '../gen/onnx/onnx.js';
import type { Problems } from '../errors.js';
import { DATA_TYPE, elementCount, elementTypeOf, type ElementType, type Tensor } from './types.js';

const BYTES: Readonly<Record<ElementType, number>> = { float32: 4, float64: 8, int32: 4, int64: 8, uint8: 1, bool: 1 };

/** Reads one tensor, copying its data; reports to `problems` and returns undefined when it cannot be used. */
export function readTensor(proto: TensorProto, place: string, problems: Problems): Tensor | undefined {
  if (proto.dataLocation !== TensorProto_DataLocation.DEFAULT || proto.externalData.length > 0) {
    problems.add(place, 'data outside the model file');
    return undefined;
  }
  const type = elementTypeOf(proto.dataType);
  if (type === undefined) {
    problems.add(place, `element type ${String(proto.dataType)} is not supported`);
    return undefined;
  }
  const shape = proto.dims.map(Number);
  const count = elementCount(shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || !Number.isSafeInteger(count)) {
    problems.add(place, 'a negative or overflowing dimension');
    return undefined;
  }
  const held = proto.rawData.length > 0 ? proto.rawData.length / BYTES[type] : typedData(proto, type).length;
  if (held !== count) {
    problems.add(place, `shape asks for ${String(count)} elements, the data holds ${String(held)}`);
    return undefined;
  }
  return proto.rawData.length > 0 ? fromRaw(type, shape, proto.rawData) : fromTyped(type, shape, proto);
}

function typedData(proto: TensorProto, type: ElementType): ArrayLike<unknown> {
  switch (type) {
    case 'float32':
      return proto.floatData;
    case 'float64':
      return proto.doubleData;
    case 'int64':
      return proto.int64Data;
    case 'int32':
    case 'uint8':
    case 'bool':
      return proto.int32Data;
  }
}

function fromTyped(type: ElementType, shape: readonly number[], proto: TensorProto): Tensor {
  switch (type) {
    case 'float32':
      return { type, shape, data: Float32Array.from(proto.floatData) };
    case 'float64':
      return { type, shape, data: Float64Array.from(proto.doubleData) };
    case 'int64':
      return { type, shape, data: BigInt64Array.from(proto.int64Data) };
    case 'int32':
      return { type, shape, data: Int32Array.from(proto.int32Data) };
    case 'uint8':
    case 'bool':
      return { type, shape, data: Uint8Array.from(proto.int32Data) };
  }
}

function fromRaw(type: ElementType, shape: readonly number[], raw: Uint8Array): Tensor {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = raw.length / BYTES[type];
  switch (type) {
    case 'float32': {
      const data = new Float32Array(count);
      for (let i = 0; i < count; i++) data[i] = view.getFloat32(4 * i, true);
      return { type, shape, data };
    }
    case 'float64': {
      const data = new Float64Array(count);
      for (let i = 0; i < count; i++) data[i] = view.getFloat64(8 * i, true);
      return { type, shape, data };
    }
    case 'int64': {
      const data = new BigInt64Array(count);
      for (let i = 0; i < count; i++) data[i] = view.getBigInt64(8 * i, true);
      return { type, shape, data };
    }
    case 'int32': {
      const data = new Int32Array(count);
      for (let i = 0; i < count; i++) data[i] = view.getInt32(4 * i, true);
      return { type, shape, data };
    }
    case 'uint8':
    case 'bool':
      return { type, shape, data: raw.slice() };
  }
}

function toRaw(tensor: Tensor): Uint8Array {
  const raw = new Uint8Array(tensor.data.length * BYTES[tensor.type]);
  const view = new DataView(raw.buffer);
  switch (tensor.type) {
    case 'float32':
      tensor.data.forEach((value, i) => {
        view.setFloat32(4 * i, value, true);
      });
      break;
    case 'float64':
      tensor.data.forEach((value, i) => {
        view.setFloat64(8 * i, value, true);
      });
      break;
    case 'int64':
      tensor.data.forEach((value, i) => {
        view.setBigInt64(8 * i, value, true);
      });
      break;
    case 'int32':
      tensor.data.forEach((value, i) => {
        view.setInt32(4 * i, value, true);
      });
      break;
    case 'uint8':
    case 'bool':
      raw.set(tensor.data);
      break;
  }
  return raw;
}

export function writeTensor(name: string, tensor: Tensor): TensorProto {
  return {
    dims: tensor.shape.map(BigInt),
    dataType: DATA_TYPE[tensor.type],
    floatData: [],
    int32Data: [],
    stringData: [],
    int64Data: [],
    name,
    rawData: toRaw(tensor),
    doubleData: [],
    uint64Data: [],
    docString: '',
    externalData: [],
    dataLocation: TensorProto_DataLocation.DEFAULT,
  };
}

export function float32(shape: readonly number[], data: ArrayLike<number>): Tensor {
  return { type: 'float32', shape, data: Float32Array.from(data) };
}

export function scalar(value: number): Tensor {
  return float32([], [value]);
}

/** A one-dimensional int64 tensor: shapes, axes and the like. */
export function int64s(values: readonly number[]): Tensor {
  return { type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}
