// What Poisson sampling makes of any mechanism's Rényi curve. Zhu and Wang (2019), "Poisson Subsampled Rényi Differential Privacy",
// theorem 6: no assumption on the mechanism, whole orders only. The factor 3 is the price of assuming nothing.

import { logExpm1, logSum, softplus } from '../numeric/log-space.js';
import type { RdpCurve } from './convert.js';

/**
 * Divergence of `mechanism` on a Poisson sample of rate q, at a whole order from 2; Infinity at others. Never more than the divergence
 * without sampling, which bounds it too.
 */
export function poissonSampledRdp(mechanism: RdpCurve, q: number, order: number): number {
  if (q === 0) return 0;
  if (q === 1) return mechanism(order);
  if (!Number.isInteger(order) || order < 2) return Infinity;
  const logQ = Math.log(q);
  const logRest = Math.log1p(-q);
  // A - 1 as a sum of positive terms, as in sampled-gaussian.ts: 3 e^x - 1 = 3 (e^x - 1) + 2.
  const terms = new Float64Array(order - 1);
  let binomial = Math.log(order);
  for (let k = 2; k <= order; k++) {
    binomial += Math.log((order - k + 1) / k);
    const exponent = (k - 1) * mechanism(k);
    if (!(exponent < Infinity)) return mechanism(order);
    const excess =
      k === 2 ? logExpm1(exponent) : exponent > 40 ? Math.log(3) + exponent : Math.log(3 * Math.expm1(exponent) + 2);
    terms[k - 2] = binomial + k * logQ + (order - k) * logRest + excess;
  }
  return Math.min(mechanism(order), (softplus(logSum(terms)) / (order - 1)) * (1 + 1e-10));
}
