// The state of one backward walk: the graph being emitted, the shapes found by the probe, and the gradient of every value so far.

import { defined } from '../../base/index.js';
import { ModelError } from '../errors.js';
import type { AttributeList, GraphBuilder } from '../graph/builder.js';
import { int, ints } from '../graph/attribute.js';
import { sameShape, type ElementType, type Graph, type GraphNode } from '../graph/types.js';

/** What the probe measured of one value, at the probed batch size. */
export interface Measured {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

export type Shapes = ReadonlyMap<string, Measured>;

export class Tape {
  readonly builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #wanted: ReadonlySet<string>;
  readonly #gradients = new Map<string, string>();

  /** `wanted`: the values that depend on a trainable parameter, parameters included. */
  constructor(builder: GraphBuilder, graph: Graph, shapes: Shapes, wanted: ReadonlySet<string>) {
    this.builder = builder;
    this.#graph = graph;
    this.#shapes = shapes;
    this.#wanted = wanted;
  }

  wants(value: string): boolean {
    return this.#wanted.has(value);
  }

  shape(value: string): readonly number[] {
    const measured = this.#shapes.get(value);
    if (measured === undefined) throw new ModelError('model/bad-shape', `the probe measured no shape for ${value}`);
    return measured.shape;
  }

  /** The node's input at `position`; rules call it only for positions below their least number of inputs. */
  input(node: GraphNode, position: number): string {
    return defined(node.inputs[position], `input ${String(position)} of node ${node.name}`);
  }

  output(node: GraphNode): string {
    return defined(node.outputs[0], `output of node ${node.name}`);
  }

  /** The numbers of a steering input, which the check has found to be a constant; undefined where it is absent. */
  constantNumbers(value: string | undefined): readonly number[] | undefined {
    if (value === undefined || value === '') return undefined;
    const maker = this.#graph.nodes.find((node) => node.operator === 'Constant' && node.outputs[0] === value);
    const [attribute] = maker?.attributes.values() ?? [];
    if (attribute?.kind === 'ints' || attribute?.kind === 'floats') return attribute.value;
    if (attribute?.kind === 'int' || attribute?.kind === 'float') return [attribute.value];
    const tensor = attribute?.kind === 'tensor' ? attribute.value : this.#graph.initialisers.get(value);
    if (tensor === undefined) throw new ModelError('model/bad-shape', `${value} must be a constant of the model`);
    return Array.from(tensor.data, Number);
  }

  /** As `constantNumbers`, for axes and extents. Throws `model/bad-shape` when they are not whole. */
  constantInts(value: string | undefined): readonly number[] | undefined {
    const numbers = this.constantNumbers(value);
    if (numbers?.every((number) => Number.isInteger(number)) === false)
      throw new ModelError('model/bad-shape', `${String(value)} must be a constant of whole numbers`);
    return numbers;
  }

  gradientOf(value: string): string | undefined {
    return this.#gradients.get(value);
  }

  /** Adds `gradient`, of the shape of `value`, to what has been found for it; values that nobody wants are passed over. */
  accumulate(value: string, gradient: string): void {
    if (!this.wants(value)) return;
    const before = this.#gradients.get(value);
    this.#gradients.set(value, before === undefined ? gradient : this.emit('Add', [before, gradient]));
  }

  emit(operator: string, inputs: readonly string[], attributes?: AttributeList): string {
    return this.builder.emit(operator, inputs, attributes);
  }

  reshape(value: string, shape: readonly number[]): string {
    return this.emit('Reshape', [value, this.builder.ints(shape)]);
  }

  transpose(value: string, permutation: readonly number[]): string {
    return this.emit('Transpose', [value], { perm: ints(permutation) });
  }

  expand(value: string, shape: readonly number[]): string {
    return this.emit('Expand', [value, this.builder.ints(shape)]);
  }

  /** The part of `value` from `begins` up to, not including, `ends` along `axes`, by `steps` where given. */
  slice(
    value: string,
    begins: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: readonly number[],
  ): string {
    const lists = [begins, ends, axes, ...(steps === undefined ? [] : [steps])];
    return this.emit('Slice', [value, ...lists.map((list) => this.builder.ints(list))]);
  }

  zeros(shape: readonly number[]): string {
    return this.expand(this.builder.scalar(0), shape);
  }

  /** Zeros before and after each axis; one number per axis. */
  pad(value: string, before: readonly number[], after: readonly number[]): string {
    if ([...before, ...after].every((count) => count === 0)) return value;
    return this.emit('Pad', [value, this.builder.ints([...before, ...after]), this.builder.scalar(0)]);
  }

  /** Sums over `axes`, which stay in the shape with extent 1. */
  sum(value: string, axes: readonly number[]): string {
    return this.emit('ReduceSum', [value, this.builder.ints(axes)], { keepdims: int(1) });
  }

  scale(value: string, factor: number): string {
    return factor === 1 ? value : this.emit('Mul', [value, this.builder.scalar(factor)]);
  }

  /** 1.0 where the boolean `mask` holds, else 0.0. */
  indicator(mask: string): string {
    return this.emit('Cast', [mask], { to: int(1) });
  }

  /** The adjoint of broadcasting: sums a gradient of shape `from` down to the operand's shape `to`. */
  unbroadcast(gradient: string, from: readonly number[], to: readonly number[]): string {
    if (sameShape(from, to)) return gradient;
    const added = from.length - to.length;
    const axes = [...from.keys()].filter((axis) => axis < added || (to[axis - added] === 1 && from[axis] !== 1));
    const summed = axes.length === 0 ? gradient : this.sum(gradient, axes);
    return added === 0 ? summed : this.reshape(summed, to);
  }
}
