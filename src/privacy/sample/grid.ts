// DP-SGD on integers. A clipped sum is put on a grid, whole numbers of noise are added, and only then is it a gradient again: what leaves is
// a function of an integer, so no bit of a floating-point number tells what was added to (Mironov 2012).
//
// The grid: one unit is clip / K, with K + sqrt(d) = S / sigma and S = 2^22, the standard deviation of the noise in units, whatever the
// job. Rounding to the nearest unit moves each coordinate by at most half of one, so two sums that differ by a vector no longer than
// the clip differ by at most K + sqrt(d) units once both are rounded: the noise is sigma times that, and sigma is what is accounted for.

import { demandParameter, PrivacyError } from '../errors.js';
import { addNoiseInto, type NextBytes } from './draw.js';
import { noiseTable, type NoiseTable } from './table.js';

/** S. */
export const GRID_SIGMA = 2 ** 22;

export interface Grid {
  /** Length of one unit, in the terms of the clip. */
  readonly unit: number;
  /** L2 norm, in units, of what one unit of privacy can change: K + sqrt(d). */
  readonly sensitivity: number;
}

/**
 * `noise`: sigma, in clips. Throws PrivacyError `privacy/out-of-reach` where the rounding of so many coordinates would outweigh the clip.
 */
export function clippedGrid(clip: number, noise: number, dimensions: number): Grid {
  demandParameter(clip > 0 && clip < Infinity, 'the clip', 'a finite number above 0', clip);
  demandParameter(noise > 0 && noise < Infinity, 'the noise', 'a finite number above 0, in units of the clip', noise);
  const sensitivity = GRID_SIGMA / noise;
  const steps = sensitivity - Math.sqrt(dimensions);
  if (!(steps >= 4 * Math.sqrt(dimensions)))
    throw new PrivacyError(
      'privacy/out-of-reach',
      `noise of ${String(noise)} clips on ${String(dimensions)} coordinates leaves fewer units to a clip than its rounding takes.`,
    );
  return { unit: clip / steps, sensitivity };
}

/** Twice as wide as the smoothing of whole numbers asks for: see `GridNoise`. */
const SPREAD = 2048;
const FINE_SIGMA = 4 * SPREAD;

/**
 * Discrete Gaussian noise of standard deviation S, as x + k y with k = 2^11, x of standard deviation 4 k and y of sqrt(S^2 - 16 k^2) / k.
 * For every whole number the sum over all ways to write it so is the wanted weight times a sum of a Gaussian over the integers, whose
 * standard deviation is at least 3.99 and which varies by less than e^(-2 pi^2 * 15.9) < 2^-450 with its place (Poisson summation): the
 * two tables' own distance, below 2^-100, is all there is. Micciancio and Walter (2017) draw so.
 */
export class GridNoise {
  readonly #fine: NoiseTable;
  readonly #coarse: NoiseTable;
  readonly #next: NextBytes;
  #fineDraws = new Int32Array(0);
  #coarseDraws = new Int32Array(0);

  constructor(next: NextBytes) {
    this.#next = next;
    [this.#fine, this.#coarse] = GridNoise.#tables ??= [
      noiseTable({ kind: 'discrete-gaussian', sigma: FINE_SIGMA }),
      noiseTable({ kind: 'discrete-gaussian', sigma: Math.sqrt(GRID_SIGMA ** 2 - FINE_SIGMA ** 2) / SPREAD }),
    ];
  }

  /** The same for every job, so they are built once: a quarter of a second and 12 MiB. */
  static #tables: readonly [NoiseTable, NoiseTable] | undefined;

  /** Rounds `values` to units and adds noise: whole numbers in place, below 2^53 in size. */
  roundAndAddInto(values: Float64Array, unit: number): void {
    if (this.#fineDraws.length !== values.length) {
      this.#fineDraws = new Int32Array(values.length);
      this.#coarseDraws = new Int32Array(values.length);
    }
    const [fine, coarse] = [this.#fineDraws.fill(0), this.#coarseDraws.fill(0)];
    addNoiseInto(fine, this.#fine, this.#next);
    addNoiseInto(coarse, this.#coarse, this.#next);
    for (let i = 0; i < values.length; i++)
      // i is below all three lengths.
      values[i] = Math.round((values[i] as number) / unit) + (fine[i] as number) + SPREAD * (coarse[i] as number);
  }
}
