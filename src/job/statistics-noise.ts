// Noise on a statistics job: records one by one are the unit, and what is summed of each is bounded by its declared ranges. Each silo adds
// its share under the mask, as in training; one sum is opened, once. docs/privacy.md.
//
// Sums are taken around the middle of each range, of x' - 1/2 and its square: a record then changes them by half and a quarter at most,
// where sums of x' and x'^2 would change by 1, and the noise is smaller by as much.

import { epsilonOfUses, PRIVACY_LIMITS } from '../privacy/index.js';
import { unitBudget } from './budget.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import { tailOf, type Mechanism, type NoiseRoom } from './noise.js';

export interface StatisticsNoiseTerms {
  readonly mechanism: Mechanism;
  /** sigma: standard deviation of the noise in the sum, in units of what one record can change; or `epsilon`, from which it follows. */
  readonly noise?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly delta: number;
}

export interface NoisyStatistics {
  /** Bound of every segment, in quantised units: `maxRows` of them at this scale. */
  readonly qMax: number;
  readonly variance: number;
  readonly tail: number;
  /** L2 norm of what one record can change, in quantised units. */
  readonly sensitivity: number;
}

/** Middle of x', around which the sums of a job with noise are taken. */
export const MIDDLE = 0.5;

/** Numbers that are summed: the records, and two for each feature. */
export function noisyCount({ features }: Contract): number {
  return 1 + 2 * features.length;
}

/**
 * L2 norm of what one record can change: 1 in the count, 1/2 and 1/4 in the sums of each feature, times the scale. Rounding by the same
 * random bits moves two vectors apart by less than a unit in each coordinate, and arithmetic in float64 by less than a thousandth.
 */
export function recordSensitivity(contract: Contract, scale: number): number {
  const square = 1 + contract.features.length * (MIDDLE ** 2 + MIDDLE ** 4);
  return scale * Math.sqrt(square) + 1.001 * Math.sqrt(noisyCount(contract));
}

/** Standard deviation at which one silo's share aims, far below what a table holds and far above a unit. */
const SIGMA_AIM = 8192;
const SIGMA_MIN = 64;

/** The finest sums that leave room for noise of sigma. Throws JobError `job/overflow`. */
export function noisyStatistics(
  noise: number,
  contract: Contract,
  { contributors, room }: Omit<NoiseRoom, 'dimensions'>,
): NoisyStatistics {
  const budget = unitBudget(room);
  const root = Math.sqrt(contributors);
  const of = (qMax: number): NoisyStatistics => {
    const sensitivity = recordSensitivity(contract, qMax / contract.maxRows);
    const variance = (noise * sensitivity) ** 2;
    return { qMax, variance, sensitivity, tail: tailOf(Math.sqrt(variance) / root) };
  };
  const perUnit = recordSensitivity(contract, 1) - recordSensitivity(contract, 0);
  let qMax = Math.min(budget, Math.floor(((SIGMA_AIM * root) / noise / perUnit) * contract.maxRows));
  while (qMax > 0 && qMax + of(qMax).tail > budget) qMax = Math.floor(qMax * 0.99);
  const found = of(qMax);
  const smallestShare = Math.sqrt(found.variance / room.silos);
  if (qMax < 16 * contract.maxRows || smallestShare < SIGMA_MIN)
    throw new JobError(
      'job/overflow',
      `${String(room.modulusBits)} bits leave no room for noise ${String(noise)} on the sums of up to ${String(contract.maxRows)} records: raise modulus_bits, or lower data.maxRows or the noise.`,
    );
  return found;
}

/** Epsilon of the one sum at delta. Throws JobError `job/bad-manifest` where nothing bounds it. */
export function epsilonOfStatistics(
  kind: Mechanism,
  { variance, sensitivity }: Pick<NoisyStatistics, 'variance' | 'sensitivity'>,
  { contributors, dimensions }: { readonly contributors: number; readonly dimensions: number },
  delta: number,
): number {
  const mechanism = { kind, variance, l2: sensitivity, dimensions, contributors };
  const { epsilon } = epsilonOfUses([{ mechanism, times: 1 }], delta);
  if (epsilon === Infinity)
    throw new JobError('job/bad-manifest', `a delta of ${String(delta)} is too small for this noise.`);
  return epsilon;
}

/** Digits of a noise that is worked out: it is rounded up, so that epsilon stays within what was asked for. */
const NOISE_STEPS = 1e4;

/** The smallest noise whose epsilon stays within what is asked for. Throws JobError `job/bad-job-file`, `job/overflow`. */
export function statisticsNoise(
  { mechanism, noise, epsilon = 0, delta }: StatisticsNoiseTerms,
  contract: Contract,
  within: Omit<NoiseRoom, 'dimensions'>,
): number {
  if (noise !== undefined) return noise;
  const { contributors } = within;
  const dimensions = noisyCount(contract);
  // Fine sums of a nominal scale; that of the job is as fine to four digits.
  const sensitivity = 4096;
  const holds = (sigma: number): boolean => {
    const use = { kind: mechanism, variance: (sigma * sensitivity) ** 2, l2: sensitivity, dimensions, contributors };
    return epsilonOfUses([{ mechanism: use, times: 1 }], delta).epsilon <= epsilon;
  };
  let high = 1;
  while (!holds(high)) {
    high *= 2;
    if (high > PRIVACY_LIMITS.noiseMax)
      throw new JobError('job/bad-job-file', `privacy: no noise keeps one sum within epsilon ${String(epsilon)}.`);
  }
  let low = 0;
  while (high - low > 0.5 / NOISE_STEPS) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(high * 1.0001 * NOISE_STEPS) / NOISE_STEPS;
}
