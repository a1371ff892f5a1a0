// The weight gradient of a convolution, the only slow part of training one. Two ways, chosen by measurement: with stride 1, one matrix
// product per kernel tap over contiguous slices; otherwise the convolution of the input with the gradient.

import { int, ints } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import { noRecordGradient } from '../records/record-gradients.js';
import type { Tape } from './tape.js';
import type { Window } from './window.js';

export interface Convolution {
  readonly x: string;
  readonly weight: string;
  readonly dy: string;
  /** [batch, channels, ...]. */
  readonly inputShape: readonly number[];
  /** [filters, channels / group, ...kernel]. */
  readonly weightShape: readonly number[];
  /** [batch, filters, ...]. */
  readonly outputShape: readonly number[];
  readonly group: number;
  readonly window: Window;
}

/** Each tap costs four nodes; beyond this a large kernel is better served by one convolution. */
const TAPS_MAX = 128;

/** `records`: a value of the model whose first axis is the batch. */
export function accumulateWeight(tape: Tape, c: Convolution, records: string): void {
  if (!tape.keepsRecords(c.weight)) {
    tape.accumulate(c.weight, convWeightGradient(tape, c));
    return;
  }
  tape.records?.demandInFront(records);
  if (elementCount(c.window.kernel) > TAPS_MAX) noRecordGradient(`a kernel of more than ${String(TAPS_MAX)} taps`);
  tape.records?.addWritten(c.weight, ofEachRecord(tape, c));
}

function convWeightGradient(tape: Tape, c: Convolution): string {
  const unitStride = c.window.strides.every((stride) => stride === 1);
  return unitStride && c.group === 1 && elementCount(c.window.kernel) <= TAPS_MAX
    ? byTaps(tape, c)
    : byConvolution(tape, c);
}

/**
 * Flattens the padded input's space and gives the gradient the same row length by zeros behind each row. Then the input that a tap
 * saw is one slice of the flat space, whatever the dimension.
 */
function byTaps(tape: Tape, c: Convolution): string {
  const { kernel, dilations, before, after } = c.window;
  const [batch = 1, channels = 1, ...extents] = c.inputShape;
  const [, filters = 1, ...outputs] = c.outputShape;
  const padded = extents.map((extent, axis) => extent + (before[axis] ?? 0) + (after[axis] ?? 0));
  // Distance in the flat space between neighbours along each axis.
  const pitch = padded.map((_, axis) => elementCount(padded.slice(axis + 1)));
  const x = tape.reshape(tape.pad(c.x, [0, 0, ...before], [0, 0, ...after]), [batch, channels, elementCount(padded)]);
  const tails = outputs.map((extent, axis) => (axis === 0 ? 0 : (padded[axis] ?? extent) - extent));
  const wide = tape.pad(c.dy, [0, 0, ...outputs.map(() => 0)], [0, 0, ...tails]);
  // Up to the last output; what follows it is padding.
  const length = outputs.reduce((sum, extent, axis) => sum + (extent - 1) * (pitch[axis] ?? 1), 1);
  const dy = tape.slice(tape.reshape(wide, [batch, filters, -1]), [0], [length], [2]);
  const taps = tapsOf(kernel).map((tap) => {
    const offset = tap.reduce((sum, at, axis) => sum + at * (dilations[axis] ?? 1) * (pitch[axis] ?? 1), 0);
    const seen = tape.slice(x, [offset], [offset + length], [2]);
    const product = tape.emit('MatMul', [dy, tape.transpose(seen, [0, 2, 1])]);
    return tape.reshape(tape.sum(product, [0]), [filters, channels, 1]);
  });
  return tape.reshape(tape.emit('Concat', taps, { axis: int(2) }), c.weightShape);
}

/** All positions in a kernel, row-major. */
function tapsOf(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, at) => [...tap, at])),
    [[]],
  );
}

/** Batch and channels change places, and so do strides and dilations; with groups, each group's batch becomes channels of its own. */
function byConvolution(tape: Tape, c: Convolution): string {
  const { kernel, strides, dilations, before, after } = c.window;
  const [batch = 1, channels = 1, ...extents] = c.inputShape;
  const axes = kernel.map((_, axis) => axis + 2);
  const dy = tape.transpose(c.dy, [1, 0, ...axes]);
  const perGroup = channels / c.group;
  const grouped = tape.transpose(tape.reshape(c.x, [batch, c.group, perGroup, ...extents]), [
    2,
    1,
    0,
    ...axes.map((axis) => axis + 1),
  ]);
  const x = tape.reshape(grouped, [perGroup, c.group * batch, ...extents]);
  const full = tape.emit('Conv', [x, dy], {
    kernel_shape: ints(c.outputShape.slice(2)),
    strides: ints(dilations),
    dilations: ints(strides),
    pads: ints([...before, ...after]),
    group: int(c.group),
  });
  // Rows that no stride reached make the result larger than the kernel.
  const cut = tape.slice(
    full,
    axes.map(() => 0),
    kernel,
    axes,
  );
  return tape.transpose(cut, [1, 0, ...axes]);
}

/** One product for each record over all that its taps saw: [batch, filters, channels / group, ...kernel], whatever strides and groups. */
function ofEachRecord(tape: Tape, c: Convolution): string {
  const { kernel, strides, dilations, before, after } = c.window;
  const [batch = 1, channels = 1] = c.inputShape;
  const [, filters = 1, ...outputs] = c.outputShape;
  const positions = elementCount(outputs);
  const axes = kernel.map((_, axis) => axis + 2);
  const padded = tape.pad(c.x, [0, 0, ...before], [0, 0, ...after]);
  const perGroup = channels / c.group;
  const taps = tapsOf(kernel).map((tap) => {
    const begins = tap.map((at, axis) => at * (dilations[axis] ?? 1));
    const ends = begins.map((begin, axis) => begin + ((outputs[axis] ?? 1) - 1) * (strides[axis] ?? 1) + 1);
    const seen = tape.slice(padded, begins, ends, axes, strides);
    return tape.reshape(seen, [batch, c.group, perGroup, 1, positions]);
  });
  const columns = tape.reshape(tape.emit('Concat', taps, { axis: int(3) }), [
    batch,
    c.group,
    perGroup * taps.length,
    positions,
  ]);
  const dy = tape.reshape(c.dy, [batch, c.group, filters / c.group, positions]);
  const product = tape.emit('MatMul', [dy, tape.transpose(columns, [0, 1, 3, 2])]);
  return tape.reshape(product, [batch, ...c.weightShape]);
}
