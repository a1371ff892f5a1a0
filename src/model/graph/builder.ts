// Builds a graph node by node. Names are counted, never drawn, so the same calls always give the same bytes.

import { defined } from '../../base/index.js';
import { scalar, int64s } from './tensor.js';
import type { Attribute, ElementType, Graph, GraphNode, Tensor, ValueInfo } from './types.js';
import { encodeGraph } from './write.js';

/** Names that start so belong to Veilsum; a model that uses one is refused, except for its own standardisation. */
export const RESERVED_PREFIX = 'veilsum.';

/** Constants up to this many elements are shared when equal: axes, shapes and scale factors, which recur at every node. */
const SHARED_ELEMENTS_MAX = 16;

export type AttributeList = Readonly<Record<string, Attribute>>;

export class GraphBuilder {
  readonly opset: number;
  readonly #prefix: string;
  readonly #nodes: GraphNode[] = [];
  readonly #initialisers = new Map<string, Tensor>();
  readonly #shared = new Map<string, string>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  #count = 0;

  constructor(opset: number, prefix = RESERVED_PREFIX) {
    this.opset = opset;
    this.#prefix = prefix;
  }

  /** Adds a node with one output and returns the output's name. */
  emit(operator: string, inputs: readonly string[], attributes: AttributeList = {}): string {
    const [output] = this.emitMany(operator, inputs, 1, attributes);
    return defined(output, 'the output just named');
  }

  emitMany(operator: string, inputs: readonly string[], outputs: number, attributes: AttributeList = {}): string[] {
    const names = Array.from({ length: outputs }, () => this.#fresh(operator));
    this.emitNamed(operator, inputs, names, attributes);
    return names;
  }

  /** As `emit`, under output names of the caller's choice, which must be new. */
  emitNamed(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: AttributeList = {},
  ): void {
    const name = `${this.#prefix}${operator}#${String(this.#nodes.length)}`;
    this.#nodes.push({ name, operator, inputs, outputs, attributes: new Map(Object.entries(attributes)) });
  }

  /** Takes over a node of another graph as it is. */
  copy(node: GraphNode): void {
    this.#nodes.push(node);
  }

  initialiser(name: string, tensor: Tensor): string {
    this.#initialisers.set(name, tensor);
    return name;
  }

  constant(tensor: Tensor): string {
    if (tensor.data.length > SHARED_ELEMENTS_MAX) return this.initialiser(this.#fresh('constant'), tensor);
    const key = `${tensor.type}|${tensor.shape.join()}|${tensor.data.join()}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.initialiser(this.#fresh('constant'), tensor);
    this.#shared.set(key, name);
    return name;
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    return this.constant(scalar(value));
  }

  /** A one-dimensional int64 constant. */
  ints(values: readonly number[]): string {
    return this.constant(int64s(values));
  }

  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Declares an output; without type and shape the runtime infers both. */
  output(name: string, type?: ElementType, shape?: readonly (number | string)[]): void {
    this.#outputs.push({ name, ...(type === undefined ? {} : { type }), ...(shape === undefined ? {} : { shape }) });
  }

  /** A graph for the body of a loop in this one, whose names differ from all others, as the format demands. */
  body(): GraphBuilder {
    return new GraphBuilder(this.opset, `${this.#fresh('body')}.`);
  }

  /** A new name, for an input of a body. */
  name(stem: string): string {
    return this.#fresh(stem);
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  graph(): Graph {
    return {
      opset: this.opset,
      nodes: [...this.#nodes],
      initialisers: new Map(this.#initialisers),
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
    };
  }

  bytes(): Uint8Array {
    return encodeGraph(this.graph());
  }

  #fresh(stem: string): string {
    return `${this.#prefix}${stem}.${String(this.#count++)}`;
  }
}
