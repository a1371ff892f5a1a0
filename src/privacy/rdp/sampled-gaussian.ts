// Rényi differential privacy of the Gaussian mechanism on a Poisson sample: each record takes part with probability q, independently,
// and noise of sigma times the sensitivity is added. Neighbours differ by adding or removing one record. Mironov, Talwar, Zhang
// (2019), "Rényi Differential Privacy of the Sampled Gaussian Mechanism".
//
// A = E[(1 - q + q e^((2x - 1) / 2 sigma^2))^alpha], x ~ N(0, sigma^2); the divergence is log(A) / (alpha - 1). What is computed is
// A - 1: near A = 1 the logarithm of a sum that starts with 1 would keep no digit of it.

import { PRIVACY_LIMITS } from '../limits.js';
import { logExpm1, logSum, softplus } from '../numeric/log-space.js';
import { erfcx, logErfc } from '../numeric/normal.js';

export interface SampledGaussian {
  /** q in [0, 1]. */
  readonly sampling: number;
  /** sigma, in units of the sensitivity; above 0. */
  readonly noise: number;
}

/** What rounding can take away from a computed divergence is added to it: a part in 10^10. */
const ROUND_UP = 1 + 1e-10;

/**
 * Rényi divergence of order alpha > 1 of one step, never below the true one. Infinity where a series has not converged and nothing
 * else bounds it.
 */
export function sampledGaussianRdp({ sampling, noise }: SampledGaussian, order: number): number {
  if (sampling === 0) return 0;
  if (sampling === 1) return order / (2 * noise * noise);
  const logA = Number.isInteger(order) ? atInteger(sampling, noise, order) : atFraction(sampling, noise, order);
  return (logA / (order - 1)) * ROUND_UP;
}

/** log A at a whole order: a finite sum. The terms k = 0 and k = 1 of A add up to 1 with those that follow, and fall out of A - 1. */
function atInteger(q: number, sigma: number, order: number): number {
  const logQ = Math.log(q);
  const logRest = Math.log1p(-q);
  const terms = new Float64Array(order - 1);
  let binomial = Math.log(order);
  for (let k = 2; k <= order; k++) {
    binomial += Math.log((order - k + 1) / k);
    terms[k - 2] = binomial + k * logQ + (order - k) * logRest + logExpm1((k * (k - 1)) / (2 * sigma * sigma));
  }
  return softplus(logSum(terms));
}

/**
 * log A between whole orders: two infinite series, their remainder and rounding added. Where those outweigh the sum, what holds is
 * that log A is convex in the order and so below the chord between the whole orders beside it.
 */
function atFraction(q: number, sigma: number, order: number): number {
  const below = Math.floor(order);
  const part = order - below;
  const chord = (1 - part) * (below < 2 ? 0 : atInteger(q, sigma, below)) + part * atInteger(q, sigma, below + 1);
  return Math.min(chord, bySeries(q, sigma, order));
}

/**
 * §3.3 of the paper: the integral is cut at z0, where both parts of the base are equal, and each side expanded in the smaller one.
 * On each side the ratio of those parts is below 1, so that from order i > alpha on the terms alternate and fall, and the remainder is
 * below the next term. Infinity when that has not become small within `seriesTermsMax`: such an order is left out, never cut short.
 */
function bySeries(q: number, sigma: number, order: number): number {
  const logQ = Math.log(q);
  const logRest = Math.log1p(-q);
  const z0 = sigma * sigma * (logRest - logQ) + 0.5;
  const common = order * logRest - (z0 * z0) / (2 * sigma * sigma);
  /** log of q^j (1-q)^(order-j) e^((j^2-j)/2 sigma^2) erfc(x)/2. For x > 0 its exponents cancel against erfc's but for `common`. */
  const logTerm = (j: number, x: number): number =>
    x > 0
      ? common + Math.log(erfcx(x) / 2)
      : j * logQ + (order - j) * logRest + (j * (j - 1)) / (2 * sigma * sigma) + logErfc(x) - Math.LN2;
  const width = Math.SQRT2 * sigma;
  let logCoefficient = 0;
  let sign = 1;
  let sum = -1;
  // What rounding may have taken: a few units in the last place of the largest part of each exponent.
  let lost = 0;
  for (let i = 0; i < PRIVACY_LIMITS.seriesTermsMax; i++) {
    const mirrored = order - i;
    const term =
      Math.exp(logCoefficient + logTerm(i, (i - z0) / width)) +
      Math.exp(logCoefficient + logTerm(mirrored, (z0 - mirrored) / width));
    if (i > order && term <= 1e-13 * Math.abs(sum)) return Math.log1p(Math.max(0, sum) + term + lost);
    sum += sign * term;
    lost += term * (16 + Math.abs(common) + (order + 1) * Math.abs(logQ)) * 2 ** -50;
    if (!Number.isFinite(sum + lost)) return Infinity;
    logCoefficient += Math.log(Math.abs(order - i) / (i + 1));
    if (order < i) sign = -sign;
  }
  return Infinity;
}
