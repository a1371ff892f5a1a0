// The normal distribution's tails, also where they are far below the smallest double: the accountants work with their logarithms.

const TWO_OVER_SQRT_PI = 1.12837916709551257389615890312;
const SQRT_PI = 1.77245385090551602729816748334;

/** Where the series gives way to the continued fraction: below it 1 - erf loses less than two digits. */
const SERIES_BELOW = 1.5;

/** e^(x^2) erfc(x) for x >= 0, to about 1e-14. */
export function erfcx(x: number): number {
  return x < SERIES_BELOW ? Math.exp(x * x) * (1 - erfSeries(x)) : continuedFraction(x);
}

/** log erfc(x), any x. */
export function logErfc(x: number): number {
  if (x >= SERIES_BELOW) return Math.log(continuedFraction(x)) - x * x;
  if (x >= -SERIES_BELOW) return Math.log(1 - erfSeries(x));
  return Math.log1p(1 - Math.exp(logErfc(-x)));
}

/** log of the probability that a standard normal variable is at most x. */
export function logNormalCdf(x: number): number {
  return logErfc(-x * Math.SQRT1_2) - Math.LN2;
}

/** The probability that a standard normal variable is at most x. */
export function normalCdf(x: number): number {
  return Math.exp(logNormalCdf(x));
}

/** erf x = 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, DLMF 7.6.2: terms of one sign. */
function erfSeries(x: number): number {
  const square = 2 * x * x;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= square / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum;
}

/** sqrt(pi) e^(x^2) erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), DLMF 7.9.1, from the far end, for x >= 1.5. */
function continuedFraction(x: number): number {
  // The number of levels that brings the error below 1e-16 falls with x^2; tests compare with quadrature.
  const levels = Math.ceil(12 + 250 / (x * x));
  let tail = x;
  for (let k = levels; k >= 1; k--) tail = x + k / 2 / tail;
  return 1 / (SQRT_PI * tail);
}
