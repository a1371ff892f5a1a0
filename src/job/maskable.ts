// The only door to a mask. Raw values are clipped and quantised by vector/; a vector of a job with noise then gets its share of it, and
// only what comes out of here can be stored for masking: an un-noised vector of such a job does not type-check there.

import type { Branded } from '../base/index.js';
import { addNoiseInto, noiseTable, type NextBytes } from '../privacy/index.js';
import type { Layout, QuantisedVector } from '../vector/index.js';
import { JobError } from './errors.js';
import { SEGMENT } from './layout.js';
import type { Mechanism } from './noise.js';

/** d signed integers that may be masked: noised where the manifest demands it. */
export type MaskableVector = Branded<Int32Array, 'Maskable'>;

/** One silo's noise in one round. */
export interface NoiseShare {
  readonly mechanism: Mechanism;
  /** This silo's share, in quantised units squared. */
  readonly variance: number;
  /** What the manifest's overflow check has left room for. */
  readonly tail: number;
  /** From the silo's secret of this round, label derive/noise. */
  readonly bytes: NextBytes;
}

/**
 * Adds noise to every segment marked as noised, in place, and erases every other one but the weight, which is the same for all silos
 * of such a job: norms, metrics and counts depend on records and would travel without noise.
 * Throws JobError `job/bad-contribution` when the layout demands noise and there is none, or none can be within the tail.
 */
export function maskable(layout: Layout, { values }: QuantisedVector, share: NoiseShare | undefined): MaskableVector {
  const noised = layout.segments.filter(({ visibility }) => visibility === 'noised');
  if (noised.length > 0 !== (share !== undefined))
    throw new JobError('job/bad-contribution', 'the layout and the noise of this job do not go together.');
  if (share !== undefined) {
    const { mechanism, variance, tail, bytes } = share;
    const table = noiseTable(
      mechanism === 'skellam' ? { kind: 'skellam', variance } : { kind: mechanism, sigma: Math.sqrt(variance) },
    );
    if (table.reach > tail)
      throw new JobError(
        'job/bad-contribution',
        `noise of this silo reaches ${String(table.reach)} units, the manifest leaves room for ${String(tail)}: its own maxMalicious is too large for this job.`,
      );
    for (const { offset, length } of noised) addNoiseInto(values.subarray(offset, offset + length), table, bytes);
    for (const { name, visibility, offset, length } of layout.segments)
      if (visibility !== 'noised' && name !== SEGMENT.weight) values.fill(0, offset, offset + length);
  }
  // What the brand stands for has just been done.
  return values as MaskableVector;
}
