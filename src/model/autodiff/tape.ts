// The state of one backward walk: the graph being emitted, the shapes found by the probe, and the gradient of every value so far.

import { defined } from '../../base/index.js';
import { ModelError } from '../errors.js';
import type { AttributeList, GraphBuilder } from '../graph/builder.js';
import { int, ints } from '../graph/attribute.js';
import type { ParameterSlot } from '../slot.js';
import type { Shapes } from '../graph/measured.js';
import { noRecordGradient, type RecordGradients } from '../records/record-gradients.js';
import { sameShape, type ElementType, type Graph, type GraphNode } from '../graph/types.js';

/** An input of the training graph that drops values at random. */
export interface DropoutMask {
  readonly name: string;
  readonly shape: readonly number[];
  /** Part of the values that is dropped, [0, 1). */
  readonly ratio: number;
}

/** A running statistic, renewed after each step: slot = momentum * slot + (1 - momentum) * factor * output. */
export interface BatchStatistic {
  readonly slot: ParameterSlot;
  /** Name of the graph's output with the statistic of the batch. */
  readonly output: string;
  readonly momentum: number;
  /** 1 for means; M / (M - 1) makes the variance of M values that of their population, as PyTorch does. */
  readonly factor: number;
}

export class Tape {
  readonly builder: GraphBuilder;
  /** Where the gradients of parameters are kept apart by record; undefined where they are summed over the batch. */
  readonly records: RecordGradients | undefined;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #wanted: ReadonlySet<string>;
  readonly #slots: ReadonlyMap<string, ParameterSlot>;
  readonly #gradients = new Map<string, string>();
  readonly #kept = new Map<GraphNode, readonly string[]>();
  readonly #masks: DropoutMask[] = [];
  readonly #statistics: BatchStatistic[] = [];

  /** `wanted`: the values that depend on a trainable parameter, parameters included. `slots`: the vector. */
  constructor(
    builder: GraphBuilder,
    graph: Graph,
    shapes: Shapes,
    wanted: ReadonlySet<string>,
    slots: readonly ParameterSlot[],
    records?: RecordGradients,
  ) {
    this.records = records;
    this.builder = builder;
    this.#slots = new Map(slots.map((slot) => [slot.name, slot]));
    this.#graph = graph;
    this.#shapes = shapes;
    this.#wanted = wanted;
  }

  wants(value: string): boolean {
    return this.#wanted.has(value);
  }

  /** Keeps names of values that a node's forward computation emitted, for its backward one. */
  keep(node: GraphNode, values: readonly string[]): void {
    this.#kept.set(node, values);
  }

  kept(node: GraphNode): readonly string[] | undefined {
    return this.#kept.get(node);
  }

  /** The place in the vector of a parameter or running statistic; undefined for all other values. */
  slot(name: string): ParameterSlot | undefined {
    return this.#slots.get(name);
  }

  /** Adds an input that the trainer fills before each step: 1 / (1 - ratio) with probability 1 - ratio, else 0. */
  mask(shape: readonly number[], ratio: number): string {
    const name = this.builder.input(this.builder.name('mask'), 'float32', shape);
    this.#masks.push({ name, shape, ratio });
    return name;
  }

  statistic(entry: BatchStatistic): void {
    this.#statistics.push(entry);
  }

  get masks(): readonly DropoutMask[] {
    return this.#masks;
  }

  get statistics(): readonly BatchStatistic[] {
    return this.#statistics;
  }

  shape(value: string): readonly number[] {
    const measured = this.#shapes.get(value);
    if (measured === undefined) throw new ModelError('model/bad-shape', `the probe measured no shape for ${value}`);
    return measured.shape;
  }

  type(value: string): ElementType {
    return defined(this.#shapes.get(value), `the measured type of ${value}`).type;
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
    const measured = this.#shapes.get(value)?.data;
    if (measured !== undefined) return Array.from(measured, Number);
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
    if (this.keepsRecords(value)) noRecordGradient(`no rule for ${value}`);
    const before = this.#gradients.get(value);
    this.#gradients.set(value, before === undefined ? gradient : this.emit('Add', [before, gradient]));
  }

  /** Whether the gradient of a wanted value is kept by record and must not be summed over the batch. */
  keepsRecords(value: string): boolean {
    return this.records?.isCommon(value) === true;
  }

  /** Hands on `gradient`, of the shape of `like`, to a value that was broadcast to that shape. */
  accumulateBroadcast(value: string, gradient: string, like: string): void {
    if (!this.wants(value)) return;
    if (this.keepsRecords(value)) this.records?.addBroadcast(this, value, gradient, like);
    else this.accumulate(value, this.unbroadcast(gradient, this.shape(like), this.shape(value)));
  }

  /** The sum of `gradient` over `axes` and over its first axis, which is the batch as in the model's value `like`. */
  accumulateSum(value: string, gradient: string, like: string, axes: readonly number[]): void {
    if (!this.wants(value)) return;
    if (!this.keepsRecords(value)) {
      this.accumulate(value, this.reshape(this.sum(gradient, [0, ...axes]), this.shape(value)));
      return;
    }
    this.records?.demandInFront(like);
    const reduced = axes.length === 0 ? gradient : this.sum(gradient, axes);
    this.records?.addWritten(value, this.reshape(reduced, [this.shape(like)[0] ?? 1, ...this.shape(value)]));
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
