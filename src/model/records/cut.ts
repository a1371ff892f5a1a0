// From the gradients of records to their clipped sum: norms over all parameters, one factor for each unit, and sums.

import { ModelError } from '../errors.js';
import type { Tape } from '../autodiff/tape.js';
import { int, ints } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import type { ParameterSlot } from '../slot.js';
import type { OuterProduct } from './record-gradients.js';

export interface CutSums {
  /** Of each slot, of its shape; undefined where the loss does not depend on it. */
  readonly sums: readonly (string | undefined)[];
  /** [batch]. */
  readonly norms: string;
  /** Values written out for one record. */
  readonly writtenOut: number;
}

type Kept =
  | { readonly kind: 'outer'; readonly product: OuterProduct }
  /** [units, values]. */
  | { readonly kind: 'written'; readonly rows: string };

/** Far below any norm that matters, so that a unit without a gradient is not divided by zero. */
const TINY = 1e-30;

/** `units`: [units, rows], 1 where a row belongs to a unit; undefined where each row is one. */
export function cutAndAdd(
  tape: Tape,
  slots: readonly ParameterSlot[],
  clip: string,
  units: string | undefined,
): CutSums {
  const { records } = tape;
  if (records === undefined) throw new ModelError('model/no-record-gradients', 'gradients were not kept by record');
  const { batch } = records;
  let writtenOut = 0;
  const kept = slots.map((slot): Kept | undefined => {
    const found = records.of(slot.name);
    const [first] = found;
    if (first === undefined) return undefined;
    if (found.length === 1 && first.kind === 'outer') return { kind: 'outer', product: first };
    writtenOut += slot.length;
    const rows = tape.reshape(records.written(tape, slot.name), [batch, elementCount(slot.shape)]);
    return { kind: 'written', rows: units === undefined ? rows : tape.emit('MatMul', [units, rows]) };
  });
  const squares = kept.flatMap((one) => {
    if (one === undefined) return [];
    return one.kind === 'written' ? [squareOfRows(tape, one.rows)] : [squareOfProduct(tape, one.product, units)];
  });
  const total = squares.length === 0 ? tape.zeros([batch]) : squares.reduce((a, b) => tape.emit('Add', [a, b]));
  const norms = tape.emit('Sqrt', [total]);
  // A length that is not a number, or overflows, compares as false.
  const finite = tape.emit('Less', [norms, tape.builder.scalar(FINITE_MAX)]);
  const cut = tape.emit('Min', [
    tape.builder.scalar(1),
    tape.emit('Div', [clip, tape.emit('Max', [norms, tape.builder.scalar(TINY)])]),
  ]);
  const zero = tape.builder.scalar(0);
  const ofUnit = tape.emit('Where', [finite, cut, zero]);
  const across = tape.reshape(ofUnit, [1, batch]);
  const ofRow = units === undefined ? ofUnit : tape.reshape(tape.emit('MatMul', [across, units]), [batch]);
  const rowFinite = units === undefined ? finite : tape.emit('Greater', [ofRow, zero]);
  const column = tape.reshape(ofRow, [batch, 1]);
  const finiteColumn = tape.reshape(rowFinite, [batch, 1]);
  const finiteUnits = tape.reshape(finite, [batch, 1]);
  const sums = kept.map((one, at) => {
    if (one === undefined) return undefined;
    const shape = slots[at]?.shape ?? [];
    // Zero times something infinite would not be zero.
    if (one.kind === 'written')
      return tape.reshape(tape.emit('MatMul', [across, tape.emit('Where', [finiteUnits, one.rows, zero])]), shape);
    const { input, delta, transposed, factor } = one.product;
    const x = tape.emit('Where', [finiteColumn, input, zero]);
    const d = tape.emit('Where', [finiteColumn, tape.emit('Mul', [delta, column]), zero]);
    const product = tape.emit('Gemm', transposed ? [d, x] : [x, d], { transA: int(1) });
    return tape.reshape(tape.scale(product, factor), shape);
  });
  return { sums, norms, writtenOut };
}

/** Lengths above this are as bad as infinite ones: their squares are. */
const FINITE_MAX = 1e18;

/** [batch]. */
function squareOfRows(tape: Tape, rows: string): string {
  // Axes became an input in operator set 18.
  return tape.builder.opset < 18
    ? tape.emit('ReduceSumSquare', [rows], { axes: ints([1]), keepdims: int(0) })
    : tape.emit('ReduceSumSquare', [rows, tape.builder.ints([1])], { keepdims: int(0) });
}

/**
 * |x^T d|^2 = |x|^2 |d|^2 of one row; of a unit with several, the sum over its pairs of rows of (x_r x_s)(d_r d_s).
 */
function squareOfProduct(tape: Tape, { input, delta, factor }: OuterProduct, units: string | undefined): string {
  if (units === undefined) {
    const product = tape.emit('Mul', [squareOfRows(tape, input), squareOfRows(tape, delta)]);
    return tape.scale(product, factor * factor);
  }
  const gram = (value: string): string => tape.emit('Gemm', [value, value], { transB: int(1) });
  const pairs = tape.emit('Mul', [gram(input), gram(delta)]);
  const within = tape.emit('Mul', [tape.emit('MatMul', [units, pairs]), units]);
  const sum = tape.emit('ReduceSum', [within, tape.builder.ints([1])], { keepdims: int(0) });
  // Rows that cancel leave a sum that rounding can make too small; what it can take away at most is added.
  const lengths = tape.emit('Sqrt', [tape.emit('Mul', [squareOfRows(tape, input), squareOfRows(tape, delta)])]);
  const uncancelled = tape.emit('MatMul', [units, lengths]);
  const lost = tape.scale(tape.emit('Mul', [uncancelled, uncancelled]), ROUNDING);
  const zero = tape.builder.scalar(0);
  return tape.scale(tape.emit('Add', [tape.emit('Max', [sum, zero]), lost]), factor * factor);
}

/** Relative error of a float32 product of vectors, with room. */
const ROUNDING = 2 ** -20;
