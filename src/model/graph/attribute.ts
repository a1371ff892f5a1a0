// Node attributes from the file format, and how rules read and make them. graph/write.ts writes them.

import { fromUtf8 } from '../../base/index.js';
import { AttributeProto_AttributeType as Kind, type AttributeProto } from '../gen/onnx/onnx.js';
import type { Problems } from '../errors.js';
import { readTensor } from './tensor.js';
import type { Attribute, GraphNode } from './types.js';

/** Reports to `problems` and returns undefined for a kind that no allowed operator takes. */
export function readAttribute(proto: AttributeProto, place: string, problems: Problems): Attribute | undefined {
  if (proto.refAttrName !== '') {
    problems.add(place, `attribute ${proto.name} refers to a function's attribute`);
    return undefined;
  }
  switch (proto.type) {
    case Kind.FLOAT:
      return { kind: 'float', value: proto.f };
    case Kind.INT:
      return { kind: 'int', value: Number(proto.i) };
    case Kind.FLOATS:
      return { kind: 'floats', value: proto.floats };
    case Kind.INTS:
      return { kind: 'ints', value: proto.ints.map(Number) };
    case Kind.STRING:
      return readText(proto, place, problems);
    case Kind.TENSOR: {
      const value =
        proto.t === undefined ? undefined : readTensor(proto.t, `${place}, attribute ${proto.name}`, problems);
      return value === undefined ? undefined : { kind: 'tensor', value };
    }
    case Kind.STRINGS:
      return readTexts(proto, place, problems);
    case Kind.UNDEFINED:
    case Kind.GRAPH:
    case Kind.TENSORS:
    case Kind.GRAPHS:
    case Kind.UNRECOGNIZED:
      break;
  }
  // Also any number that the enumeration does not know: what is left out here would be read by a runtime all the same.
  const names: Readonly<Record<number, string | undefined>> = Kind;
  const kind = names[proto.type] ?? String(proto.type);
  problems.add(place, `attribute ${proto.name} has kind ${kind}, which no allowed operator takes`);
  return undefined;
}

function readText(proto: AttributeProto, place: string, problems: Problems): Attribute | undefined {
  const [value] = decoded([proto.s], proto.name, place, problems);
  return value === undefined ? undefined : { kind: 'string', value };
}

function readTexts(proto: AttributeProto, place: string, problems: Problems): Attribute | undefined {
  const value = decoded(proto.strings, proto.name, place, problems);
  return value.length < proto.strings.length ? undefined : { kind: 'strings', value };
}

/** The texts, or none of them where one cannot be read. */
function decoded(all: readonly Uint8Array[], name: string, place: string, problems: Problems): readonly string[] {
  try {
    return all.map((text) => fromUtf8(text));
  } catch {
    problems.add(place, `attribute ${name} is not UTF-8`);
    return [];
  }
}

/** The number of an int or float attribute, or `otherwise`, the operator's documented default. */
export function numberOf(node: GraphNode, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : otherwise;
}

export function integersOf(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}

export function textOf(node: GraphNode, name: string, otherwise: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : otherwise;
}

export function textsOf(node: GraphNode, name: string): readonly string[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'strings' ? attribute.value : undefined;
}

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const text = (value: string): Attribute => ({ kind: 'string', value });
