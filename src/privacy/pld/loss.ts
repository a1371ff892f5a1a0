// The privacy loss of one step of the sampled Gaussian mechanism, as a function of the outcome. With t the outcome in units of the
// noise, measured from where the noise alone would put it:
//   removal  P = (1-q) N(0,1) + q N(1/s,1) against Q = N(0,1): loss log(1 - q + q e^(t/s - 1/2s^2)), rising in t
//   addition P = N(0,1) against Q as P above: the negative of it, so that it falls in t
// Both must be looked at: neither bounds the other's delta.

const HALF_LOG_TWO_PI = 0.918938533204672741780329736406;

export interface LossCurve {
  /** Density of the outcome u under P. For an addition u = -t, so that the loss rises in u for both. */
  density(u: number): number;
  /** Loss at u, rising. */
  loss(u: number): number;
  /** Smallest u whose loss is at least l: -Infinity when all are, Infinity when none is. */
  at(l: number): number;
  /** Outcomes below `low` or above `high` have together a probability under P that double precision calls zero. */
  readonly low: number;
  readonly high: number;
}

/** Standard normal variables beyond this have a probability of 1e-315. */
const REACH = 38;

export function removalLoss(q: number, sigma: number): LossCurve {
  return {
    density: (t) => (1 - q) * normalDensity(t) + q * normalDensity(t - 1 / sigma),
    loss: (t) => mixtureLoss(q, sigma, t),
    at: (l) => outcomeOf(q, sigma, l),
    low: -REACH,
    high: REACH + 1 / sigma,
  };
}

export function additionLoss(q: number, sigma: number): LossCurve {
  return {
    density: (u) => normalDensity(u),
    loss: (u) => -mixtureLoss(q, sigma, -u),
    at: (l) => -outcomeOf(q, sigma, -l),
    low: -REACH,
    high: REACH,
  };
}

function normalDensity(t: number): number {
  return Math.exp(-0.5 * t * t - HALF_LOG_TWO_PI);
}

/** log(1 - q + q e^y), y = t/s - 1/(2 s^2), without overflow and exact for small q. */
function mixtureLoss(q: number, sigma: number, t: number): number {
  const y = (t - 0.5 / sigma) / sigma;
  return y > 30 ? y + Math.log(q + (1 - q) * Math.exp(-y)) : Math.log1p(q * Math.expm1(y));
}

/** Inverse of `mixtureLoss`. */
function outcomeOf(q: number, sigma: number, l: number): number {
  const inner = Math.expm1(l) / q;
  if (inner <= -1) return -Infinity;
  const y = l > 30 ? l - Math.log(q) + Math.log1p(-(1 - q) * Math.exp(-l)) : Math.log1p(inner);
  return sigma * y + 0.5 / sigma;
}
