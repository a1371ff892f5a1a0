// The rotation of a round (docs/protocol.md §2.5), the same for everybody who knows which model the round starts from. Every silo computes
// that model itself and signs its hash, so the coordinator can choose neither it nor the rotation; round 1 starts from what the manifest
// names. A rotation that somebody knew beforehand would cost precision at worst, never privacy: what is too long is cut.

import { utf8, type Hash } from '../base/index.js';
import { hash, Keystream, LABELS } from '../crypto/index.js';
import { rotateBackInto, rotateInto, rotationFrom } from '../privacy/index.js';
import { JobError } from './errors.js';
import type { Layout, SegmentValues } from '../vector/index.js';

/** Key of the stream of signs. Public. */
export function rotationKey(jobId: string, modelHash: Hash): Uint8Array {
  return hash(LABELS.rotation, utf8(jobId), modelHash);
}

/**
 * The values of each segment as they are rounded: rotated where the layout says so, in memory of their own. Throws JobError
 * `job/bad-contribution` when it does and there is no key.
 */
export function rotated(
  layout: Layout,
  parts: readonly SegmentValues[],
  key: Uint8Array | undefined,
): readonly SegmentValues[] {
  return parts.map((part, k) => {
    if (layout.segments[k]?.roundedNorm === undefined) return part;
    if (key === undefined)
      throw new JobError('job/bad-contribution', 'the layout of this job rotates numbers, and there is no rotation.');
    const values = Float64Array.from(part.values);
    rotateInto(values, rotationFrom(streamOf(key), values.length));
    return { name: part.name, values };
  });
}

/** What `rotated` did to a segment, undone in its sum, in place. */
export function rotatedBack(values: Float64Array, key: Uint8Array): Float64Array {
  rotateBackInto(values, rotationFrom(streamOf(key), values.length));
  return values;
}

/** One stream for each segment: layouts have one rotated segment at most. */
function streamOf(key: Uint8Array): (length: number) => Uint8Array {
  const stream = new Keystream(key);
  return (length) => stream.next(length);
}
