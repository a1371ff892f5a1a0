// A privacy loss on a grid, never better than the true one. The probability that falls between two grid points is split between them
// so that its mass under both P and Q stays what it was: a spread of the likelihood ratio, whose delta is at least the true one at
// every epsilon and equal to it at grid points (Doroshenko et al. 2022, "Connect the Dots"). The error is of second order in the step.

import type { LossCurve } from './loss.js';

export interface GridLoss {
  /** Loss of cell 0 is `first * step`; cell k is k steps above. */
  readonly first: number;
  readonly step: number;
  /** Probability of each cell under P. */
  readonly mass: Float64Array;
  /** Probability of a loss above all cells, taken to be infinite. */
  readonly infinite: number;
}

export interface GridTerms {
  readonly step: number;
  /** Losses outside are cut: below to the lowest cell, above to infinity. */
  readonly low: number;
  readonly high: number;
}

/** Outcomes per panel of the quadrature, in units of the noise: four points on it are exact to double precision. */
const PANEL = 0.05;

// Gauss-Legendre, four points on [-1, 1].
const NODES = [-0.861136311594052575, -0.339981043584856265, 0.339981043584856265, 0.861136311594052575] as const;
const WEIGHTS = [0.347854845137453857, 0.652145154862546143, 0.652145154862546143, 0.347854845137453857] as const;

/** What rounding may have done to the split of a cell, relative to its mass: as much more is put on its upper end. */
const SPLIT_SLACK = 1e-9;

export function discretise(curve: LossCurve, { step, low, high }: GridTerms): GridLoss {
  const first = Math.floor(low / step);
  const cells = Math.ceil(high / step) - first + 1;
  const mass = new Float64Array(cells);
  const shrink = -Math.expm1(-step);
  // All that lies below the lowest cell is moved up to it.
  let from = Math.max(curve.low, curve.at(first * step));
  mass[0] = panels(curve, curve.low, from, 0).mass;
  for (let k = 0; k + 1 < cells && from < curve.high; k++) {
    const bottom = (first + k) * step;
    const to = Math.min(curve.high, Math.max(from, curve.at(bottom + step)));
    const { mass: whole, gain } = panels(curve, from, to, bottom);
    const upper = Math.min(whole, Math.max(0, gain) / shrink + whole * SPLIT_SLACK);
    // k + 1 is below the number of cells.
    mass[k] = (mass[k] as number) + (whole - upper);
    mass[k + 1] = (mass[k + 1] as number) + upper;
    from = to;
  }
  return { first, step, mass, infinite: panels(curve, from, curve.high, 0).mass };
}

/** Between two outcomes: the mass under P, and the integral of p (1 - e^(bottom - loss)), which is P - e^bottom Q. */
function panels(curve: LossCurve, from: number, to: number, bottom: number): { mass: number; gain: number } {
  if (!(to > from)) return { mass: 0, gain: 0 };
  const count = Math.ceil((to - from) / PANEL);
  const half = (to - from) / count / 2;
  let mass = 0;
  let gain = 0;
  for (let k = 0; k < count; k++) {
    const middle = from + (2 * k + 1) * half;
    for (let n = 0; n < 4; n++) {
      // n is below 4.
      const u = middle + half * (NODES[n] as number);
      const p = curve.density(u) * (WEIGHTS[n] as number) * half;
      mass += p;
      gain += p * -Math.expm1(bottom - curve.loss(u));
    }
  }
  return { mass, gain };
}
