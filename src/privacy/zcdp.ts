// Zero-concentrated differential privacy, for sums that are opened once: statistics and evaluations. Bun and Steinke (2016). A Gaussian
// of sigma on a sum of L2 sensitivity D is rho = D^2 / 2 sigma^2; rhos of several sums add up; the Rényi curve is rho times the order.

import { demandParameter } from './errors.js';
import { epsilonAt } from './rdp/convert.js';
import { bisect } from './numeric/bisect.js';

/** rho of one sum with L2 sensitivity `l2` and noise sigma, discrete or not. */
export function gaussianRho(l2: number, sigma: number): number {
  return (l2 * l2) / (2 * sigma * sigma);
}

/** Epsilon that rho proves at delta: the best over all orders. */
export function epsilonOfRho(rho: number, delta: number): number {
  demandParameter(rho >= 0, 'rho', 'a number from 0', rho);
  demandParameter(delta > 0 && delta < 1, 'delta', 'a probability above 0 and below 1', delta);
  if (rho === 0) return 0;
  // Without the terms in the order alone the best is 1 + sqrt(log(1/delta) / rho); the true one is near it, and any is valid.
  const guess = Math.sqrt(Math.log(1 / delta) / rho);
  let best = Infinity;
  for (let k = -200; k <= 200; k++) {
    const order = 1 + guess * 2 ** (k / 40);
    best = Math.min(best, epsilonAt(rho * order, order, delta));
  }
  return best;
}

/** The largest rho that stays within epsilon at delta. */
export function rhoOfEpsilon(epsilon: number, delta: number): number {
  demandParameter(epsilon > 0 && epsilon < Infinity, 'epsilon', 'a finite number above 0', epsilon);
  // Searched as 1 / rho, so that what is returned has been seen to stay within.
  const inverse = bisect(1e-12, 1e24, (x) => epsilonOfRho(1 / x, delta) <= epsilon);
  return 1 / inverse;
}
