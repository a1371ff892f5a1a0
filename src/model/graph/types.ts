// A graph as the rest of the room sees it: checked, resolved, without a trace of the file format. graph/read makes it from
// bytes, graph/builder makes a new one, graph/write turns it into bytes again.

/** A value held in a model file. Shapes are row-major; a scalar has shape []. */
export type Tensor = { readonly shape: readonly number[] } & (
  | { readonly type: 'float32'; readonly data: Float32Array }
  | { readonly type: 'float64'; readonly data: Float64Array }
  | { readonly type: 'int32'; readonly data: Int32Array }
  | { readonly type: 'int64'; readonly data: BigInt64Array }
  | { readonly type: 'uint8'; readonly data: Uint8Array }
  | { readonly type: 'bool'; readonly data: Uint8Array }
);

export type ElementType = Tensor['type'];

/** TensorProto.DataType of the ONNX format. */
export const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

export function elementTypeOf(dataType: number): ElementType | undefined {
  // Object.entries forgets the key type of a record whose keys are exactly ElementType.
  const found = Object.entries(DATA_TYPE).find(([, value]) => value === dataType) as [ElementType, number] | undefined;
  return found?.[0];
}

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  /** The body of a loop. Only written, never read: a model file may not bring one. */
  | { readonly kind: 'graph'; readonly value: Graph };

export interface GraphNode {
  /** The node's own name, or `Gemm#3` (operator and position) where the exporter gave none. */
  readonly name: string;
  readonly operator: string;
  /** An absent optional input is the empty string. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A graph input or output. A symbolic dimension is its name. */
export interface ValueInfo {
  readonly name: string;
  /** Absent only in outputs whose type is left to the runtime. */
  readonly type?: ElementType;
  readonly shape?: readonly (number | string)[];
}

export interface Graph {
  readonly opset: number;
  /** In an order in which every name is defined before it is used. */
  readonly nodes: readonly GraphNode[];
  readonly initialisers: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Axis counted from the front; ONNX lets -1 mean the last. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** `[32, 16]`, as messages print shapes. */
export function showShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}
