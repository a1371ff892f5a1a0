// The true values that accountants are held against, from first principles and without any of their code: trapezoidal sums, which
// converge faster than any power of the step for integrands that are analytic and fall off on both sides.

/** log E[r^alpha] - where r = 1 - q + q e^((2x-1)/2 s^2), x ~ N(0, s^2) - as log1p of the mean of r^alpha - 1 - alpha (r - 1). */
export function trueRdp(q: number, sigma: number, order: number): number {
  const from = -40 * sigma;
  const to = (order + 40) * sigma + order;
  // The integrand's features are as wide as sigma, or the distance sigma^2 over which e^(x / sigma^2) grows by e.
  const step = Math.min(sigma, sigma * sigma) / 64;
  const count = Math.ceil((to - from) / step);
  let high = -Infinity;
  let sum = 0;
  for (let k = 0; k <= count; k++) {
    const x = from + k * step;
    const log = logExcess(q, sigma, order, x) - (x * x) / (2 * sigma * sigma);
    if (log > high) {
      sum = sum * Math.exp(high - log) + 1;
      high = log;
    } else sum += Math.exp(log - high);
  }
  const logExcessMean = high + Math.log(sum * step) - Math.log(sigma * Math.sqrt(2 * Math.PI));
  const logA = logExcessMean > 30 ? logExcessMean : Math.log1p(Math.exp(logExcessMean));
  return logA / (order - 1);
}

/** log(r^alpha - 1 - alpha (r - 1)), which is not negative for any r > 0. */
function logExcess(q: number, sigma: number, order: number, x: number): number {
  const y = (2 * x - 1) / (2 * sigma * sigma);
  const logR = y > 30 ? y + Math.log(q + (1 - q) * Math.exp(-y)) : Math.log1p(q * Math.expm1(y));
  if (order * logR > 50) return order * logR;
  const d = Math.expm1(logR);
  // Near r = 1 the difference is taken from its series, which loses nothing.
  if (Math.abs(d) * order < 1e-3) {
    let term = (order * (order - 1) * d * d) / 2;
    let sum = term;
    for (let k = 3; k < 12; k++) {
      term *= ((order - k + 1) * d) / k;
      sum += term;
    }
    return Math.log(sum);
  }
  return Math.log(Math.max(0, Math.expm1(order * logR) - order * d));
}

/** Delta of one step at epsilon, the worse of removal and addition: P(L > eps) - e^eps Q(L > eps), by its densities. */
export function trueDeltaOfOneStep(q: number, sigma: number, epsilon: number): number {
  return Math.max(...[1, -1].map((direction) => hockeyStick(q, sigma, epsilon, direction)));
}

function hockeyStick(q: number, sigma: number, epsilon: number, direction: number): number {
  const step = sigma / 20_000;
  let sum = 0;
  for (let x = -12 * sigma; x <= 12 * sigma + 1; x += step) {
    const base = density(x / sigma) / sigma;
    const mixed = (1 - q) * base + (q * density((x - 1) / sigma)) / sigma;
    const [p, other] = direction === 1 ? [mixed, base] : [base, mixed];
    sum += Math.max(0, p - Math.exp(epsilon) * other);
  }
  return sum * step;
}

/** Delta of two steps at epsilon, the worse of both directions, over the plane of outcomes. */
export function trueDeltaOfTwoSteps(q: number, sigma: number, epsilon: number): number {
  const step = sigma / 100;
  const outcomes: number[] = [];
  for (let x = -9 * sigma; x <= 9 * sigma + 1; x += step) outcomes.push(x);
  const base = outcomes.map((x) => density(x / sigma) / sigma);
  const mixed = outcomes.map((x, i) => (1 - q) * (base[i] ?? 0) + (q * density((x - 1) / sigma)) / sigma);
  const delta = (p: number[], other: number[]): number => {
    let sum = 0;
    for (let i = 0; i < outcomes.length; i++)
      for (let j = 0; j < outcomes.length; j++)
        sum += Math.max(0, p[i]! * p[j]! - Math.exp(epsilon) * other[i]! * other[j]!);
    return sum * step * step;
  };
  return Math.max(delta(mixed, base), delta(base, mixed));
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Rényi divergence of order alpha between p and p shifted by `shift` cells, by the sum over the support. */
export function shiftedRdp(pmf: (k: number) => number, reach: number, shift: number, order: number): number {
  let sum = 0;
  for (let k = -reach; k <= reach; k++) {
    const p = pmf(k);
    const other = pmf(k - shift);
    if (p > 0 && other > 0) sum += Math.exp(order * Math.log(p) + (1 - order) * Math.log(other));
  }
  return Math.log(sum) / (order - 1);
}

/** Skellam of variance mu, from the two Poisson variables it is the difference of. */
export function skellamPmf(mu: number): (k: number) => number {
  const mean = mu / 2;
  const terms = Math.ceil(mean + 40 * Math.sqrt(mean) + 60);
  const poisson = [Math.exp(-mean)];
  for (let n = 1; n <= 2 * terms; n++) poisson.push((poisson[n - 1]! * mean) / n);
  const known = new Map<number, number>();
  return (k) => {
    const at = Math.abs(k);
    const cached = known.get(at);
    if (cached !== undefined) return cached;
    let sum = 0;
    for (let n = 0; n <= terms && n + at <= 2 * terms; n++) sum += poisson[n]! * poisson[n + at]!;
    known.set(at, sum);
    return sum;
  };
}

/** Discrete Gaussian: proportional to e^(-k^2 / 2 sigma^2). */
export function discreteGaussianPmf(sigma: number): (k: number) => number {
  const weight = (k: number): number => Math.exp((-k * k) / (2 * sigma * sigma));
  let total = 0;
  const reach = Math.ceil(40 * sigma + 20);
  for (let k = -reach; k <= reach; k++) total += weight(k);
  return (k) => weight(k) / total;
}
