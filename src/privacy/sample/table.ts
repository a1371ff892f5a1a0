// Integer noise by inversion: a uniform number of 128 bits is looked up among cumulative probabilities of 128 bits. No floating point
// touches a sample, so none of its bits can tell what was added to. What the table is away from the true distribution is known and
// charged to delta.

import { PrivacyError } from '../errors.js';
import { PRIVACY_LIMITS } from '../limits.js';
import { discreteGaussianWeights, skellamWeights, type Weights } from './weights.js';

export type NoiseKind =
  | { readonly kind: 'skellam'; /** In quantised units, squared. */ readonly variance: number }
  | { readonly kind: 'discrete-gaussian'; /** In quantised units. */ readonly sigma: number };

export interface NoiseTable {
  /** Samples lie in [-reach, reach]. */
  readonly reach: number;
  /** Total variation distance of one sample from the true distribution, at most. */
  readonly distance: number;
  /** Cumulative probability of each value but the last, times 2^128: four words, the most significant first, in arrays of their own. */
  readonly words: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  /** For the top bits of a uniform word: the first entry whose first word is not below them. */
  readonly guide: Uint32Array;
}

export const GUIDE_BITS = 14;

/** Half a mebibyte at a standard deviation of 1,000. Throws PrivacyError `privacy/bad-sampler`. */
export function noiseTable(noise: NoiseKind): NoiseTable {
  const sigma = noise.kind === 'skellam' ? Math.sqrt(noise.variance) : noise.sigma;
  if (!(sigma >= SIGMA_MIN && sigma <= PRIVACY_LIMITS.tableSigmaMax))
    throw new PrivacyError(
      'privacy/bad-sampler',
      `noise is drawn with a standard deviation of ${String(SIGMA_MIN)} to ${String(PRIVACY_LIMITS.tableSigmaMax)} quantised units, not ${String(sigma)}.`,
    );
  const weights = noise.kind === 'skellam' ? skellamWeights(noise.variance) : discreteGaussianWeights(noise.sigma);
  return tableOf(weights);
}

/** Below this nearly every sample is 0, and a quantiser with so coarse a unit is a mistake. */
const SIGMA_MIN = 0.25;

function tableOf({ of }: Weights): NoiseTable {
  const reach = of.length - 1;
  let total = -(of[0] ?? 0n);
  for (const weight of of) total += 2n * weight;
  const entries = 2 * reach;
  const words = [0, 1, 2, 3].map(() => new Uint32Array(entries)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let sum = 0n;
  for (let i = 0; i < entries; i++) {
    sum += of[Math.abs(i - reach)] ?? 0n;
    let threshold = (sum << 128n) / total;
    for (let w = 3; w >= 0; w--) {
      // w is 0 to 3, i below the length.
      (words[w] as Uint32Array)[i] = Number(threshold & 0xffffffffn);
      threshold >>= 32n;
    }
  }
  // Each threshold is cut by less than 2^-128; both tails and what the weights are away from their truth are below 2^-120.
  return { reach, distance: entries * 2 ** -128 + 2 ** -120, words, guide: guideOf(words[0]) };
}

function guideOf(first: Uint32Array): Uint32Array {
  const guide = new Uint32Array((1 << GUIDE_BITS) + 1);
  let entry = 0;
  for (let top = 0; top <= 1 << GUIDE_BITS; top++) {
    const word = top * 2 ** (32 - GUIDE_BITS);
    while (entry < first.length && (first[entry] as number) < word) entry++;
    guide[top] = entry;
  }
  return guide;
}
