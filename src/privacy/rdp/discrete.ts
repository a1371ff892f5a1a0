// Rényi divergences of integer noise. Sensitivities are of quantised vectors: whole numbers, their norms in quantised units.

import { invariant } from '../../base/index.js';

export interface Sensitivity {
  /** L1 and L2 norm of what one unit of privacy can change. */
  readonly l1: number;
  readonly l2: number;
}

/** The largest L1 norm of an integer vector of `dimensions` coordinates with this L2 norm: sqrt(d) l2, and at most l2^2. */
export function integerSensitivity(l2: number, dimensions: number): Sensitivity {
  return { l1: Math.min(Math.sqrt(dimensions) * l2, l2 * l2), l2 };
}

/**
 * Skellam noise of variance mu on every coordinate (the difference of two Poisson variables of mean mu / 2), at a whole order. Sums of
 * Skellam noise are Skellam noise. Agarwal, Kairouz, Liu (2021), "The Skellam Mechanism", corollary 3.6. Infinity at other orders, of
 * which the theorem says nothing.
 */
export function skellamRdp({ l1, l2 }: Sensitivity, mu: number, order: number): number {
  if (!Number.isInteger(order)) return Infinity;
  const square = l2 * l2;
  const excess = Math.min(((2 * order - 1) * square + 6 * l1) / (4 * mu * mu), (3 * l1) / (2 * mu));
  return (order * square) / (2 * mu) + excess;
}

/** Discrete Gaussian noise of one party. Canonne, Kamath, Steinke (2020), theorem 4 and proposition 5: as the Gaussian's. */
export function discreteGaussianRdp({ l2 }: Sensitivity, sigma: number, order: number): number {
  return (order * l2 * l2) / (2 * sigma * sigma);
}

/**
 * Discrete Gaussian noise of `parties` contributors, sigma each, on d coordinates. A sum of discrete Gaussians is not quite one; what
 * that costs is tau. Kairouz, Liu, Steinke (2021), "The Distributed Discrete Gaussian Mechanism", theorem 1.
 */
export function distributedGaussianRdp(
  { l2 }: Sensitivity,
  { sigma, parties, dimensions }: { readonly sigma: number; readonly parties: number; readonly dimensions: number },
  order: number,
): number {
  invariant(parties >= 1, 'noise has at least one contributor');
  let tau = 0;
  for (let k = 1; k < parties; k++) tau += 10 * Math.exp((-2 * Math.PI ** 2 * sigma ** 2 * k) / (k + 1));
  const direct = l2 / (Math.sqrt(parties) * sigma);
  const epsilon = Math.min(Math.sqrt(direct * direct + (tau * dimensions) / 2), direct + tau * Math.sqrt(dimensions));
  return (order * epsilon * epsilon) / 2;
}
