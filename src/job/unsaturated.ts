import type { SegmentValues } from '../vector/index.js';
import { SEGMENT } from './layout.js';

/** The last segment of every layout, filled where the other segments are quantised. */
export function unsaturated(): SegmentValues {
  return { name: SEGMENT.saturated, values: new Float64Array(1) };
}
