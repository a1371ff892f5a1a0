// What DP-SGD asks beside a recipe.

/** What makes a training private. The unit is a row, or all rows with one number in `unitOfRow`. */
export interface PrivateTerms {
  /** C: no unit's gradient is longer in L2 norm. */
  readonly clip: number;
  /** sigma: standard deviation of the noise on a sum, in clips. */
  readonly noise: number;
  /** q: probability with which a unit takes part in a step. */
  readonly sampling: number;
  /** What a noisy sum is divided by to be a mean: the expected number of units, never the sampled one. */
  readonly expectedUnits: number;
  /** For each row the number of its unit, from 0 without gaps; each row is a unit unless given. */
  readonly unitOfRow?: Uint32Array | undefined;
  /** 32 bytes each, of this round and of this silo alone. */
  readonly samplingKey: Uint8Array;
  readonly noiseKey: Uint8Array;
}
