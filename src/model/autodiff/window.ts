// The sliding window of convolutions and pools: kernel, strides, dilations and pads along each spatial axis, with defaults filled in.

import { integersOf, textOf } from '../graph/attribute.js';
import type { GraphNode } from '../graph/types.js';
import { FLAG, type AttributeBound } from './rule.js';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros before and after each spatial axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Extents of kernels, strides and pads above this belong to no image or signal we know of. */
const EXTENT_MAX = 1024;
const EXTENTS: AttributeBound = { kind: 'ints', min: 1, max: EXTENT_MAX };

export const WINDOW_ATTRIBUTES: Readonly<Record<string, AttributeBound>> = {
  auto_pad: { kind: 'string', oneOf: ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'] },
  kernel_shape: EXTENTS,
  strides: EXTENTS,
  pads: { kind: 'ints', min: 0, max: EXTENT_MAX },
};
export const DILATIONS = EXTENTS;
export const CEIL_MODE = FLAG;

/** `extents`: the input's spatial axes; `kernel`: from the weight's shape or the attribute kernel_shape. */
export function windowOf(node: GraphNode, extents: readonly number[], kernel: readonly number[]): Window {
  const rank = extents.length;
  const strides = integersOf(node, 'strides') ?? ones(rank);
  const dilations = integersOf(node, 'dilations') ?? ones(rank);
  const pads = integersOf(node, 'pads') ?? [];
  const kind = textOf(node, 'auto_pad', 'NOTSET');
  if (kind === 'NOTSET' || kind === 'VALID') {
    const given = kind === 'NOTSET' && pads.length === 2 * rank ? pads : ones(2 * rank).map(() => 0);
    return { kernel, strides, dilations, before: given.slice(0, rank), after: given.slice(rank) };
  }
  // SAME: as many outputs as strides fit into the input, the padding shared out evenly, an odd one before (LOWER) or after (UPPER).
  const total = extents.map((extent, axis) => {
    const [size, stride, spacing] = [kernel[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1];
    return Math.max(0, (Math.ceil(extent / stride) - 1) * stride + (size - 1) * spacing + 1 - extent);
  });
  const smaller = total.map((pad) => Math.floor(pad / 2));
  const larger = total.map((pad) => Math.ceil(pad / 2));
  return kind === 'SAME_UPPER'
    ? { kernel, strides, dilations, before: smaller, after: larger }
    : { kernel, strides, dilations, before: larger, after: smaller };
}

/** Extent from the first to the last tap, less one, along each axis. */
export function reach({ kernel, dilations }: Window): readonly number[] {
  return kernel.map((size, axis) => (size - 1) * (dilations[axis] ?? 1));
}

/** Inputs behind the last window that no output saw: what a transposed convolution must add. */
export function leftOver(window: Window, input: readonly number[], output: readonly number[]): readonly number[] {
  const span = reach(window);
  return input.map(
    (extent, axis) =>
      extent +
      (window.before[axis] ?? 0) +
      (window.after[axis] ?? 0) -
      (((output[axis] ?? 1) - 1) * (window.strides[axis] ?? 1) + (span[axis] ?? 0) + 1),
  );
}

function ones(length: number): number[] {
  return Array.from({ length }, () => 1);
}
