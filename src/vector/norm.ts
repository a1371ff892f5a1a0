// Norms in float64 and fixed order, so that every machine gets the same bits.

/** Square root of the sum of squares, in index order. */
export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    // i is below the length.
    const value = values[i] as number;
    sum += value * value;
  }
  return Math.sqrt(sum);
}
