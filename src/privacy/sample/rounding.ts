// Rounding whose result is known to be short. Stochastic rounding can lengthen a vector by up to sqrt(d); drawn again until it is not
// longer than what rounding does on average, a vector's sensitivity hardly grows. Kairouz, Liu, Steinke (2021), §4.2. vector/ draws.

/** e^(-1/2): with this chance or less a rounding of a vector within the clip is longer than the bound. */
const BETA = Math.exp(-0.5);

/** Bound on the L2 norm after rounding, in quantised units, of a vector no longer than `clip` quantised units. */
export function roundedNormBound(clip: number, dimensions: number): number {
  const worst = clip + Math.sqrt(dimensions);
  const likely = clip * clip + dimensions / 4 + Math.sqrt(2 * Math.log(1 / BETA)) * (clip + Math.sqrt(dimensions) / 2);
  return Math.min(worst, Math.sqrt(likely));
}
