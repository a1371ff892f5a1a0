// Probabilities of integer noise to far more digits than a double has, as whole numbers in proportion to them. Only ratios matter: the
// table divides by their sum.

/** Weights of k = 0..reach; that of -k equals that of k. */
export interface Weights {
  readonly of: readonly bigint[];
}

/** Binary digits beyond the point of every ratio. */
const PRECISION = 256n;
/** Binary digits of the smallest weight that the recurrence starts from: what its divisions cut off is below 2^-190 of any weight. */
const SEED_BITS = 192n;
/** Binary logarithm of the probability beyond which a table ends, and beyond which the recurrence starts. */
const TAIL_BITS = 132;
const START_BITS = 240;

/**
 * Skellam of variance mu: e^-mu I_k(mu), by Miller's backward recurrence I_(k-1) = I_(k+1) + (2k / mu) I_k (DLMF 3.6.6 and 10.29.1),
 * in which errors die out. The factor e^-mu and the scale fall out when the weights are divided by their sum.
 */
export function skellamWeights(mu: number): Weights {
  const reach = reachOf((k) => skellamTail(mu, k), TAIL_BITS);
  const start = reachOf((k) => skellamTail(mu, k), START_BITS);
  const { numerator, denominator } = rational(mu);
  const of: bigint[] = [];
  let above = 0n;
  let here = 1n << SEED_BITS;
  for (let k = start; k > 0; k--) {
    if (k <= reach) of[k] = here;
    const below = above + (2n * BigInt(k) * here * denominator) / numerator;
    above = here;
    here = below;
  }
  of[0] = here;
  return { of };
}

/** Discrete Gaussian: e^(-k^2 / 2 sigma^2), each from the last by a ratio that itself falls by e^(-1 / sigma^2). */
export function discreteGaussianWeights(sigma: number): Weights {
  const reach = reachOf((k) => -(k * k) / (2 * sigma * sigma), TAIL_BITS);
  const { numerator, denominator } = rational(sigma);
  const squared = { numerator: denominator * denominator, denominator: numerator * numerator };
  let ratio = exponential(squared.numerator, 2n * squared.denominator);
  const fall = exponential(squared.numerator, squared.denominator);
  const of: bigint[] = [1n << PRECISION];
  for (let k = 1; k <= reach; k++) {
    of[k] = ((of[k - 1] ?? 0n) * ratio) >> PRECISION;
    ratio = (ratio * fall) >> PRECISION;
  }
  return { of };
}

/** log P(X >= k) is at most this: Chernoff's bound at its best point asinh(k / mu). */
function skellamTail(mu: number, k: number): number {
  return Math.hypot(k, mu) - mu - k * Math.asinh(k / mu);
}

/** The smallest k, to a part in 64, whose log probability is below -bits. */
function reachOf(logTail: (k: number) => number, bits: number): number {
  let reach = 8;
  while (logTail(reach) > -bits * Math.LN2) reach += Math.max(1, reach >> 6);
  return reach;
}

/** A double as the exact fraction that it is. */
function rational(x: number): { numerator: bigint; denominator: bigint } {
  let scaled = x;
  let denominator = 1n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

/** e^(-p / q), with PRECISION digits: Taylor's series after halving the exponent until it is small. */
function exponential(p: bigint, q: bigint): bigint {
  const one = 1n << PRECISION;
  let x = (p << PRECISION) / q;
  let halvings = 0;
  while (x > one >> 4n) {
    x >>= 1n;
    halvings++;
  }
  let term = one;
  let sum = one;
  for (let k = 1n; term !== 0n; k++) {
    term = ((term * x) / k) >> PRECISION;
    sum += k % 2n === 1n ? -term : term;
  }
  for (let k = 0; k < halvings; k++) sum = (sum * sum) >> PRECISION;
  return sum;
}
