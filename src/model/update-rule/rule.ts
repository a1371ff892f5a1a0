// What an update rule is: how the mean of the silos' changes becomes the next model. Every silo computes it by itself on the verified
// sum and all must get the same bytes, so the arithmetic is pinned: float64, elements in order, + - * / and Math.sqrt only (IEEE 754
// defines each to the last bit; Math.pow and the like it does not), one rounding to float32 at the end.

export interface Updated {
  readonly parameters: Float32Array;
  /** Canonical bytes of the rule's memory, to be kept with the model and given to the next call. */
  readonly state: Uint8Array;
}

/** `meanDelta`: the mean over silos of (local - global) parameters. All lengths have been checked. */
export type UpdateStep = (parameters: Float32Array, state: Uint8Array, meanDelta: Float64Array) => Updated;
