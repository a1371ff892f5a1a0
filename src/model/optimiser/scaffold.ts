// SCAFFOLD, the silo's part (Karimireddy et al. 2020, algorithm 1, option II). c_i is the mean gradient that silo i expects of its own
// records, c the mean of all silos' c_i. A step follows g - c_i + c, so that every silo walks the common way; afterwards
// c_i' = c_i - c + (p_round - p) / (K * rate), which is the mean of the gradients it met on the way.

/** In place: g + correction. `correction`: c - c_i. */
export function correctInto(gradient: Float32Array, correction: Float32Array): void {
  for (let i = 0; i < gradient.length; i++) {
    // Both have the same length.
    gradient[i] = (gradient[i] as number) + (correction[i] as number);
  }
}

/**
 * c_i' - c_i, what the silo sends. `common`: c. `delta`: p - p_round. `reach`: K * rate, or what K steps with momentum make of it
 * (`reachOf`).
 */
export function controlChange(common: ArrayLike<number>, delta: Float32Array, reach: number): Float64Array {
  // Both have the same length.
  return Float64Array.from(delta, (change, i) => -change / reach - (common[i] as number));
}
