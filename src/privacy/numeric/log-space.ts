// Sums of positive numbers given by their logarithms: terms of an accountant range over thousands of orders of magnitude.

/** log(e^a + e^b). -Infinity stands for zero. */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  if (high === -Infinity || high === Infinity) return high;
  return high + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** log(e^a - e^b) for a >= b. */
export function logSubtract(a: number, b: number): number {
  if (b === -Infinity) return a;
  return a <= b ? -Infinity : a + Math.log(-Math.expm1(b - a));
}

/** log(e^x - 1) for x >= 0, exact near zero and without overflow. */
export function logExpm1(x: number): number {
  if (x <= 0) return -Infinity;
  return x > 40 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x));
}

/** log(1 + e^x), without overflow. */
export function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

/** log of the sum of e^x over the terms; -Infinity for none. */
export function logSum(terms: ArrayLike<number>): number {
  let high = -Infinity;
  // Every index is below the length.
  for (let i = 0; i < terms.length; i++) high = Math.max(high, terms[i] as number);
  if (high === -Infinity || high === Infinity) return high;
  let sum = 0;
  for (let i = 0; i < terms.length; i++) sum += Math.exp((terms[i] as number) - high);
  return high + Math.log(sum);
}
