// Bounds of what the accountants and samplers spend, each with its reason.

export const PRIVACY_LIMITS = {
  /** Steps that an accountant composes: a run of a million steps is longer than any that people wait for. */
  stepsMax: 1_000_000_000,
  /** Largest integer order of a Rényi divergence. The sum at an order has as many terms as the order. */
  orderMax: 1 << 16,
  /** Terms of a series at a fractional order before it counts as not converged, and the order as useless. */
  seriesTermsMax: 4096,
  /** Cells of a discretised privacy loss: 2^18 complex numbers are 4 MiB and transform in 50 milliseconds. */
  lossCellsMax: 1 << 18,
  /** Standard deviation, in quantised units, up to which one silo's noise is drawn from a table: 23 sigma of it are 14 MiB. */
  tableSigmaMax: 1 << 14,
  /** Largest and smallest noise multiplier that calibration tries. */
  noiseMax: 1e9,
  noiseMin: 1e-4,
} as const;
