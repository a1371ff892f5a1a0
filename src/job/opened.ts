// Reading an opened sum by segment name.

import { dequantise, segmentNamed, type Layout } from '../vector/index.js';
import { JobError } from './errors.js';

export interface OpenedSum {
  readonly layout: Layout;
  /** The sum over the silos, signed, in layout order. */
  readonly values: Int32Array;
}

/** Throws JobError `job/bad-sum` unless the sum has its layout's length. */
export function checkLength({ layout, values }: OpenedSum): void {
  if (values.length !== layout.length)
    throw new JobError(
      'job/bad-sum',
      `a sum of ${String(values.length)} coordinates, expected ${String(layout.length)}.`,
    );
}

/** Values of one segment in its own unit; undefined when the layout has none of this name. */
export function segmentValues({ layout, values }: OpenedSum, name: string): Float64Array | undefined {
  const segment = segmentNamed(layout, name);
  return segment === undefined ? undefined : dequantise(segment, values);
}

/** Throws JobError `job/bad-sum` when the layout has no segment of this name. */
export function requiredValues(sum: OpenedSum, name: string): Float64Array {
  const values = segmentValues(sum, name);
  if (values === undefined) throw new JobError('job/bad-sum', `the layout has no segment ${name}.`);
  return values;
}

/** The one value of a segment of length 1. */
export function requiredValue(sum: OpenedSum, name: string): number {
  // A segment has at least one coordinate.
  return requiredValues(sum, name)[0] as number;
}
