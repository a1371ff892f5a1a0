// Noise on the change of the parameters: how much, how fine the quantiser then is, and which epsilon follows. The unit is one silo with
// all its records: its whole input to a round is at most the clip. docs/privacy.md.

import { epsilonOfUses, flattened, roundedNormBound, type RdpBound } from '../privacy/index.js';
import { unitBudget, type Fineness, type Room } from './budget.js';
import { JobError } from './errors.js';

export type Mechanism = 'skellam' | 'discrete-gaussian';

export interface NoiseTerms {
  readonly mechanism: Mechanism;
  /** Standard deviation of the noise in a sum, in units of what one silo can change. */
  readonly noise: number;
  readonly delta: number;
  /** Whether the change is rotated and rounded conditionally before noise is added. `hadamard` unless given. */
  readonly rotation?: 'hadamard' | 'none' | undefined;
}

export interface NoisyQuantiser {
  /** The largest |q| before noise. */
  readonly qMax: number;
  /** The clip in quantised units, where rotation keeps coordinates below it. */
  readonly units: number | undefined;
  /** L2 norm of what one silo can change, in quantised units: the clip and what rounding can add. */
  readonly l2: number;
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
/** What rounding may add to the length of a rotated clip, and so to the noise that an epsilon takes: one part in a hundred. */
const GROWTH_MAX = 1.01;

export interface NoiseRoom {
  readonly dimensions: number;
  /** Honest silos whose noise is surely in a sum of the smallest cohort. */
  readonly contributors: number;
  readonly room: Room;
}

/** The finest quantiser that leaves room for the noise. Throws JobError `job/overflow` when modulus_bits leave no room. */
export function noisyQuantiser(terms: NoiseTerms, within: NoiseRoom): NoisyQuantiser {
  const { noise, rotation = 'hadamard' } = terms;
  const { dimensions, contributors, room } = within;
  const found = rotation === 'hadamard' ? rotatedQuantiser(noise, within) : plainQuantiser(noise, within);
  const smallestShare = (noise * found.l2) / Math.sqrt(room.silos);
  if (found.rough || smallestShare < SIGMA_MIN)
    throw new JobError(
      'job/overflow',
      `${String(room.modulusBits)} bits leave no room for noise ${String(noise)} on ${String(dimensions)} parameters: raise modulus_bits or lower the noise.`,
    );
  const { qMax, units, l2 } = found;
  return { qMax, units, l2, variance: (noise * l2) ** 2, tail: tailOf((noise * l2) / Math.sqrt(contributors)) };
}

interface Found {
  readonly qMax: number;
  readonly units: number | undefined;
  readonly l2: number;
  /** Rounding would weigh too much. */
  readonly rough: boolean;
}

/** Each coordinate may have the whole clip, and each silo's noise its whole tail at once. */
function plainQuantiser(noise: number, { dimensions, contributors, room }: NoiseRoom): Found {
  const root = Math.sqrt(dimensions);
  const sigmaOf = (qMax: number): number => (noise * (qMax + root)) / Math.sqrt(contributors);
  const budget = unitBudget(room);
  let qMax = Math.min(Math.floor((SIGMA_AIM * Math.sqrt(contributors)) / noise - root), budget);
  while (qMax > 0 && qMax + tailOf(sigmaOf(qMax)) > budget) qMax = Math.floor(qMax * 0.99);
  return { qMax, units: undefined, l2: qMax + root, rough: qMax < 4 * root };
}

/** Rotated coordinates are far below the clip, and what counts is the tail of the sum of all noise. */
function rotatedQuantiser(noise: number, { dimensions, contributors, room }: NoiseRoom): Found {
  const half = 2 ** (room.modulusBits - 1);
  const sigmaOf = (l2: number): number => (noise * l2) / Math.sqrt(contributors);
  // As vector/ counts in largestSum.
  const fits = (units: number): boolean => {
    const tail = tailOf(sigmaOf(roundedNormBound(units, dimensions)));
    return room.silos * rotatedFineness(units, dimensions).qMax + Math.ceil(Math.sqrt(room.silos) * tail) < half;
  };
  let units = Math.floor((SIGMA_AIM * Math.sqrt(contributors)) / noise);
  while (units > 0 && !fits(units)) units = Math.floor(units * 0.99);
  const l2 = roundedNormBound(units, dimensions);
  return { ...rotatedFineness(units, dimensions), units, l2, rough: !(l2 <= GROWTH_MAX * units) };
}

/** The quantiser of a rotated segment whose clip is so many units. Rounding moves a coordinate by less than one. */
export function rotatedFineness(units: number, dimensions: number): Fineness & { readonly units: number } {
  return { units, qMax: Math.ceil(units * flattened(dimensions)) + 1 };
}

/** Bound on one silo's noise of this standard deviation. */
export function tailOf(sigma: number): number {
  return Math.ceil(TAIL_SIGMAS * sigma) + SIGMA_MIN;
}

export interface NoisySum {
  readonly mechanism: Mechanism;
  readonly variance: number;
  /** L2 norm of what one silo can change, in quantised units. */
  readonly l2: number;
  readonly dimensions: number;
  readonly contributors: number;
  readonly rounds: number;
}

/**
 * Epsilon of all rounds at delta. What one silo can change is its vector.
 * Throws JobError `job/bad-manifest` where delta is too small for the sampling tables.
 */
export function epsilonOfSum(sum: NoisySum, delta: number): RdpBound {
  const { mechanism: kind, variance, l2, dimensions, contributors, rounds } = sum;
  const mechanism = { kind, variance, l2, dimensions, contributors };
  const bound = epsilonOfUses([{ mechanism, times: rounds }], delta);
  if (bound.epsilon === Infinity)
    throw new JobError(
      'job/bad-manifest',
      `a delta of ${String(delta)} is too small for this noise over ${String(rounds)} rounds of ${String(dimensions)} parameters.`,
    );
  return bound;
}
