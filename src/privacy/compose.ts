// What several uses of the same records cost together, whatever mechanisms they were: Rényi divergences of an order add up, and epsilon is
// read from their sum. Kept are the parameters of the mechanisms, so that a better accountant can count the same uses again.

import { distributedGaussianRdp, integerSensitivity, skellamRdp } from './rdp/discrete.js';
import { epsilonOf, type RdpBound } from './rdp/convert.js';
import { ORDERS } from './rdp/orders.js';
import { sampledGaussianRdp, type SampledGaussian } from './rdp/sampled-gaussian.js';

/** Noise on a sum of quantised vectors. */
export interface NoiseOnSum {
  readonly kind: 'skellam' | 'discrete-gaussian';
  /** Of the noise that is surely in the sum, in quantised units squared. */
  readonly variance: number;
  /** L2 norm of what one silo can change, in quantised units. */
  readonly l2: number;
  /** Coordinates. */
  readonly dimensions: number;
  /** Silos whose noise is surely in the sum. */
  readonly contributors: number;
}

/**
 * Steps of DP-SGD on Poisson samples, with discrete Gaussian noise. At whole orders the formula of the continuous one is exact for it: E
 * of the k-th power of a density ratio is e^((k^2 - k) s^2 / 2 sigma^2) for both, as a shift by k whole units leaves the lattice as it
 * is (Canonne, Kamath, Steinke 2020, proposition 5), and Mironov's sum has no other terms. Between whole orders it is not.
 */
export interface NoiseOnSteps extends SampledGaussian {
  readonly kind: 'sampled-gaussian';
  readonly steps: number;
}

export type Mechanism = NoiseOnSum | NoiseOnSteps;

export interface Use {
  readonly mechanism: Mechanism;
  readonly times: number;
}

/** Rényi divergence of one use at an order; Infinity where nothing is known. */
export function mechanismRdp(mechanism: Mechanism, order: number): number {
  if (mechanism.kind === 'sampled-gaussian') return mechanism.steps * sampledGaussianRdp(mechanism, order);
  const { kind, variance, l2, dimensions, contributors } = mechanism;
  const sensitivity = integerSensitivity(l2, dimensions);
  return kind === 'skellam'
    ? skellamRdp(sensitivity, variance, order)
    : distributedGaussianRdp(
        sensitivity,
        { sigma: Math.sqrt(variance / contributors), parties: contributors, dimensions },
        order,
      );
}

/** Part of delta that is set aside for what sampling tables are away from the true distribution; it is orders below that. */
const TABLE_SHARE = 1e-6;
/** What a table is away from the true distribution, for each coordinate and sample. */
const TABLE_DISTANCE = 2 ** -100;
/** Parameters of a model that is not known. */
const PARAMETERS_ASSUMED = 2 ** 28;

/**
 * Epsilon of all uses together at delta, never below the true one. 0 for none; Infinity where nothing proves one, or where delta is too
 * small for the sampling tables.
 */
export function epsilonOfUses(uses: readonly Use[], delta: number): RdpBound {
  if (uses.length === 0) return { epsilon: 0, order: Infinity };
  // Of Skellam noise, and of discrete noise on samples, only whole orders are known.
  const whole = uses.some(({ mechanism }) => mechanism.kind !== 'discrete-gaussian');
  const orders = whole ? ORDERS.filter((order) => Number.isInteger(order)) : ORDERS;
  const curve = (order: number): number =>
    uses.reduce((sum, { mechanism, times }) => sum + times * mechanismRdp(mechanism, order), 0);
  const bound = epsilonOf(curve, delta * (1 - TABLE_SHARE), orders);
  const samples = uses.reduce((sum, { mechanism, times }) => sum + times * samplesOf(mechanism), 0);
  const reached = (1 + Math.exp(bound.epsilon)) * samples * TABLE_DISTANCE > delta * TABLE_SHARE;
  return reached ? { epsilon: Infinity, order: bound.order } : bound;
}

/** Numbers drawn from a table by honest silos. Steps of DP-SGD do not say how many: a model of the largest size is assumed. */
function samplesOf(mechanism: Mechanism): number {
  return mechanism.kind === 'sampled-gaussian'
    ? mechanism.steps * PARAMETERS_ASSUMED
    : mechanism.dimensions * mechanism.contributors;
}
