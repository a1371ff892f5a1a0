// Gradients record by record, for the parameters alone. What a rule would sum over the batch is kept apart here: as two factors whose
// outer product it is where a dense layer sees each record once (Goodfellow 2015), otherwise written out, [batch, ...parameter].

import { ModelError } from '../errors.js';
import { int, text } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import type { BatchPlace, Place } from './batch-place.js';
import type { Emitter } from './emitter.js';

/** factor * input_i^T delta_i of record i, turned over where `transposed`. */
export interface OuterProduct {
  readonly kind: 'outer';
  /** [batch, I] and [batch, O]. */
  readonly input: string;
  readonly delta: string;
  readonly columns: readonly [input: number, delta: number];
  readonly transposed: boolean;
  readonly factor: number;
}

/** [batch, ...parameter]. */
export interface Written {
  readonly kind: 'written';
  readonly name: string;
}

export type RecordGradient = OuterProduct | Written;

/** Thrown where no rule says how a gradient divides among records: one record is then trained at a time. */
export function noRecordGradient(what: string): never {
  throw new ModelError('model/no-record-gradients', `${what}: its gradient is not known record by record`);
}

export class RecordGradients {
  readonly batch: number;
  readonly #placeOf: (value: string) => Place;
  readonly #found = new Map<string, RecordGradient[]>();

  constructor(batch: number, placeOf: (value: string) => Place) {
    this.batch = batch;
    this.#placeOf = placeOf;
  }

  /** Whether a value is the same for all records: a parameter, or what is computed from parameters alone. */
  isCommon(value: string): boolean {
    return this.#placeOf(value) === undefined;
  }

  of(value: string): readonly RecordGradient[] {
    return this.#found.get(value) ?? [];
  }

  /** Adds `gradient`, [batch, ...value]. */
  addWritten(value: string, gradient: string): void {
    this.add(value, { kind: 'written', name: gradient });
  }

  /** `gradient` has the shape and the batch of `like`, and `value` was broadcast to it. */
  addBroadcast(tape: Emitter, value: string, gradient: string, like: string): void {
    const place = this.#place(like);
    const from = tape.shape(like);
    const to = tape.shape(value);
    const added = from.length - to.length;
    const summed = [...from.keys()].filter(
      (axis) => axis === place.axis || axis < added || (to[axis - added] === 1 && from[axis] !== 1),
    );
    if (place.axis >= added && to[place.axis - added] !== 1) noRecordGradient(`${value} has an axis for the batch`);
    const { name, shape, at } = inFront(tape, gradient, from, place, this.batch);
    const axes = [...shape.keys()].filter((axis) => axis > 0 && summed.includes(at(axis)));
    const reduced = axes.length === 0 ? name : tape.sum(name, axes);
    this.addWritten(value, tape.reshape(reduced, [this.batch, ...to]));
  }

  /** `input` [..., I] and `delta` [..., O], the same axes before: the gradient of a matrix that every row of the input is multiplied by. */
  addProduct(
    tape: Emitter,
    value: string,
    {
      input,
      delta,
      transposed = false,
      factor = 1,
    }: {
      readonly input: string;
      readonly delta: string;
      readonly transposed?: boolean;
      readonly factor?: number;
    },
  ): void {
    const place = this.#place(input);
    const shape = tape.shape(input);
    const inner = shape.at(-1) ?? 1;
    const matrix = tape.shape(value);
    const columns = elementCount(matrix) / inner;
    if (place.axis === shape.length - 1) noRecordGradient(`${value} is multiplied along the batch`);
    const rows = elementCount(shape) / inner / this.batch;
    if (rows === 1) {
      this.add(value, {
        kind: 'outer',
        input: tape.reshape(input, [this.batch, inner]),
        delta: tape.reshape(delta, [this.batch, columns]),
        columns: [inner, columns],
        transposed,
        factor,
      });
      return;
    }
    const x = this.rows(tape, input, shape, place, [rows, inner]);
    const d = this.rows(tape, delta, [...shape.slice(0, -1), columns], place, [rows, columns]);
    const [left, right] = transposed ? [d, x] : [x, d];
    this.addWritten(value, tape.scale(tape.emit('MatMul', [tape.transpose(left, [0, 2, 1]), right]), factor));
  }

  /** A value of `shape` as [batch, ...rest]. */
  rows(tape: Emitter, value: string, shape: readonly number[], place: BatchPlace, rest: readonly number[]): string {
    return tape.reshape(inFront(tape, value, shape, place, this.batch).name, [this.batch, ...rest]);
  }

  /** Rows of `table` that `indices` picked along axis 0; `delta` is of the gathered rows. The same rows for all records where indices are. */
  addGathered(tape: Emitter, table: string, indices: string, delta: string, like: string): void {
    const [height = 1, ...width] = tape.shape(table);
    const picked = tape.shape(indices);
    const common = this.isCommon(indices);
    const count = elementCount(picked) / (common ? 1 : this.batch);
    const flat = common
      ? tape.expand(tape.reshape(indices, [1, count, 1]), [this.batch, count, 1])
      : this.rows(tape, indices, picked, this.#place(indices), [count, 1]);
    const deltas = common
      ? tape.reshape(delta, [this.batch, count, ...width])
      : this.rows(tape, delta, tape.shape(like), this.#place(indices), [count, ...width]);
    const records = tape.builder.constant({
      type: 'int64',
      shape: [this.batch, count, 1],
      data: BigInt64Array.from({ length: this.batch * count }, (_, i) => BigInt(Math.floor(i / count))),
    });
    const places = tape.emit('Concat', [records, tape.emit('Cast', [flat], { to: int(INT64) })], { axis: int(2) });
    const zeros = tape.zeros([this.batch, height, ...width]);
    this.addWritten(table, tape.emit('ScatterND', [zeros, places, deltas], { reduction: text('add') }));
  }

  /** All that was found for a value, written out and added: [batch, ...value]. */
  written(tape: Emitter, value: string): string {
    const names = this.of(value).map((one) => writtenOut(tape, this.batch, one));
    return tape.reshape(
      names.reduce((sum, name) => tape.emit('Add', [sum, name])),
      [this.batch, ...tape.shape(value)],
    );
  }

  /** Where the records are in a value that has them. */
  #place(value: string): BatchPlace {
    const place = this.#placeOf(value);
    return place === undefined || place === 'mixed' ? noRecordGradient(`records are not apart in ${value}`) : place;
  }

  /** Demands the batch as the first axis, alone. */
  demandInFront(value: string): void {
    const place = this.#place(value);
    if (place.axis !== 0 || place.outer !== 1 || place.inner !== 1) noRecordGradient(`${value} has the batch inside`);
  }

  add(value: string, gradient: RecordGradient): void {
    this.#found.set(value, [...this.of(value), gradient]);
  }
}

const INT64 = 7;

/** [batch, I, O], or [batch, O, I] where transposed, flattened behind the batch by whoever needs it. */
function writtenOut(tape: Emitter, batch: number, one: RecordGradient): string {
  if (one.kind === 'written') return one.name;
  const [inner, columns] = one.columns;
  const [left, right] = one.transposed
    ? [tape.reshape(one.delta, [batch, columns, 1]), tape.reshape(one.input, [batch, 1, inner])]
    : [tape.reshape(one.input, [batch, inner, 1]), tape.reshape(one.delta, [batch, 1, columns])];
  return tape.scale(tape.emit('MatMul', [left, right]), one.factor);
}

/** Brings the records of a value to the front: [batch, axes before, outer, inner, axes behind]. `at` gives the axis that each was. */
function inFront(
  tape: Emitter,
  value: string,
  shape: readonly number[],
  { axis, outer, inner }: BatchPlace,
  batch: number,
): { readonly name: string; readonly shape: readonly number[]; readonly at: (axis: number) => number } {
  const before = shape.slice(0, axis);
  const behind = shape.slice(axis + 1);
  const split = tape.reshape(value, [...before, outer, batch, inner, ...behind]);
  const rank = before.length + 3 + behind.length;
  const place = before.length + 1;
  const others = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== place);
  const name = tape.transpose(split, [place, ...others]);
  const at = (front: number): number => {
    const was = front === 0 ? place : (others[front - 1] ?? 0);
    return was < axis ? was : was <= axis + 2 ? axis : was - 2;
  };
  return { name, shape: [batch, ...before, outer, inner, ...behind], at };
}
