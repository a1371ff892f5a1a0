// The Gaussian mechanism without sampling: its delta is known in closed form, so nothing needs to be bounded. Balle and Wang (2018),
// "Improving the Gaussian Mechanism", theorem 8. T steps with noise sigma are one step with noise sigma / sqrt(T).

import { bisect } from './numeric/bisect.js';
import { logNormalCdf } from './numeric/normal.js';

/** Delta at epsilon >= 0 for noise sigma times the sensitivity: Phi(1/2s - es) - e^eps Phi(-1/2s - es). */
export function gaussianDelta(sigma: number, epsilon: number): number {
  const first = logNormalCdf(0.5 / sigma - epsilon * sigma);
  const second = epsilon + logNormalCdf(-0.5 / sigma - epsilon * sigma);
  return first <= second ? 0 : Math.exp(first) * -Math.expm1(second - first);
}

/** The smallest epsilon with that delta, rounded up in the twelfth digit. */
export function gaussianEpsilon(sigma: number, delta: number): number {
  const meets = (epsilon: number): boolean => gaussianDelta(sigma, epsilon) <= delta;
  if (meets(0)) return 0;
  let high = 1;
  while (!meets(high) && high < Number.MAX_VALUE / 4) high *= 2;
  return bisect(0, high, meets);
}
