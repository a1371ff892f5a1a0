// Noise on the change of the parameters: how much, how fine the quantiser then is, and which epsilon follows. The unit is one silo with
// all its records: its whole input to a round is at most the clip. docs/privacy.md.

import { epsilonOfUses, type RdpBound } from '../privacy/index.js';
import { unitBudget, type Room } from './budget.js';
import { JobError } from './errors.js';

export type Mechanism = 'skellam' | 'discrete-gaussian';

export interface NoiseTerms {
  readonly mechanism: Mechanism;
  /** Standard deviation of the noise in a sum, in units of what one silo can change. */
  readonly noise: number;
  readonly delta: number;
}

export interface NoisyQuantiser {
  /** The clip in quantised units. */
  readonly qMax: number;
  /** mu, in quantised units squared. */
  readonly variance: number;
  /** Bound on one silo's noise on a coordinate. */
  readonly tail: number;
}

/** Standard deviation that the largest share of one silo aims at: a unit is then far below the noise, and its table small. */
const SIGMA_AIM = 8192;
/** Below this per silo, the shape of the noise would begin to matter for its tail. */
const SIGMA_MIN = 64;
/** No sample of a table lies further out than this many standard deviations, from SIGMA_MIN on. */
const TAIL_SIGMAS = 16;

/**
 * The finest quantiser that leaves room for the noise. `contributors`: honest silos whose noise is surely in a sum of the smallest
 * cohort. Throws JobError `job/overflow` when modulus_bits leave no room.
 */
export function noisyQuantiser(
  { noise }: NoiseTerms,
  {
    dimensions,
    contributors,
    room,
  }: { readonly dimensions: number; readonly contributors: number; readonly room: Room },
): NoisyQuantiser {
  const root = Math.sqrt(dimensions);
  const sigmaOf = (qMax: number): number => (noise * (qMax + root)) / Math.sqrt(contributors);
  const tailOf = (qMax: number): number => Math.ceil(TAIL_SIGMAS * sigmaOf(qMax)) + SIGMA_MIN;
  const budget = unitBudget(room);
  let qMax = Math.min(Math.floor((SIGMA_AIM * Math.sqrt(contributors)) / noise - root), budget);
  while (qMax > 0 && qMax + tailOf(qMax) > budget) qMax = Math.floor(qMax * 0.99);
  const smallestShare = (sigmaOf(qMax) * Math.sqrt(contributors)) / Math.sqrt(room.silos);
  if (qMax < 4 * root || smallestShare < SIGMA_MIN)
    throw new JobError(
      'job/overflow',
      `${String(room.modulusBits)} bits leave no room for noise ${String(noise)} on ${String(dimensions)} parameters: raise modulus_bits or lower the noise.`,
    );
  return { qMax, variance: (noise * (qMax + root)) ** 2, tail: tailOf(qMax) };
}

export interface NoisySum {
  readonly mechanism: Mechanism;
  readonly variance: number;
  readonly qMax: number;
  readonly dimensions: number;
  readonly contributors: number;
  readonly rounds: number;
}

/**
 * Epsilon of all rounds at delta. What one silo can change is its vector: at most qMax + sqrt(d) long after stochastic rounding.
 * Throws JobError `job/bad-manifest` where delta is too small for the sampling tables.
 */
export function epsilonOfSum(sum: NoisySum, delta: number): RdpBound {
  const { mechanism: kind, variance, dimensions, contributors, rounds } = sum;
  const mechanism = { kind, variance, l2: sum.qMax + Math.sqrt(dimensions), dimensions, contributors };
  const bound = epsilonOfUses([{ mechanism, times: rounds }], delta);
  if (bound.epsilon === Infinity)
    throw new JobError(
      'job/bad-manifest',
      `a delta of ${String(delta)} is too small for this noise over ${String(rounds)} rounds of ${String(dimensions)} parameters.`,
    );
  return bound;
}
