// T independent losses from one grid, added up by FFT, and the epsilon of the sum.
//
// The distribution is tilted by e^(lambda l) before it is transformed and the tilt undone afterwards: the rounding error of a transform
// is relative to its largest value, and tilting puts that where delta is decided. Everything that could make the answer too small is
// added to delta: infinite losses, what lies above the window (Chernoff's bound), and the rounding error of the transforms.

import { fftInto } from '../numeric/fft.js';
import type { GridLoss } from './discretise.js';

export interface Composition {
  readonly steps: number;
  /** lambda > 0; the best is the optimal Rényi order less one. Any gives a valid result. */
  readonly tilt: number;
  /** Cells of the window, a power of two. */
  readonly cells: number;
}

/** The smallest epsilon >= 0 that the grid proves for T steps at delta. Infinity when it proves none. */
export function composedEpsilon(grid: GridLoss, { steps, tilt, cells }: Composition, delta: number): number {
  const { step, first, mass } = grid;
  const tilted = tiltedMass(grid, tilt);
  // Cell `centre` becomes 0 of the ring; a sum of T cells is then some cells from T * centre.
  const centre = Math.round(tilted.mean);
  const re = new Float64Array(cells);
  const im = new Float64Array(cells);
  for (let k = 0; k < mass.length; k++) {
    const at = (((k - centre) % cells) + cells) % cells;
    // k and `at` are below their lengths.
    re[at] = (re[at] as number) + (tilted.mass[k] as number);
  }
  fftInto({ re, im });
  const roundingMass = powerInto(re, im, steps);
  fftInto({ re, im }, true);
  const middle = Math.round(steps * (tilted.mean - centre));
  const top = middle + cells / 2 - 1;
  /** Loss of a sum that lies `s` cells from T * centre. */
  const lossAt = (s: number): number => (steps * (first + centre) + s) * step;
  const logScale = steps * tilted.logMoment;
  const above = tailAbove(grid, { steps, tilt }, lossAt(top + 1));
  const infinite = -Math.expm1(steps * Math.log1p(-grid.infinite)) + above;
  if (!(infinite < delta)) return Infinity;
  return descend({ delta, infinite, step, top, bottom: middle - cells / 2, lossAt }, (s) => {
    const at = ((s % cells) + cells) % cells;
    const value = Math.max(0, re[at] as number) + roundingMass;
    return value * Math.exp(logScale - tilt * lossAt(s));
  });
}

/** Chernoff: the probability of a sum of at least `loss` is at most E[e^(lambda L)] / e^(lambda loss) for every lambda > 0. */
export function tailAbove(grid: GridLoss, { steps, tilt }: Pick<Composition, 'steps' | 'tilt'>, loss: number): number {
  let best = 0;
  for (let k = -2; k <= 10; k++) {
    const lambda = tilt * 2 ** k;
    best = Math.min(best, steps * logMoment(grid, lambda) - lambda * loss);
  }
  return Math.exp(best);
}

/** log E[e^(lambda l)] over finite losses. */
function logMoment({ step, first, mass }: GridLoss, lambda: number): number {
  // The largest possible loss keeps the exponentials below 1 but may make all of them 0, so the largest term is found first.
  let high = -Infinity;
  for (let k = 0; k < mass.length; k++) {
    const value = mass[k] as number;
    if (value > 0) high = Math.max(high, Math.log(value) + lambda * (first + k) * step);
  }
  let sum = 0;
  for (let k = 0; k < mass.length; k++) sum += (mass[k] as number) * Math.exp(lambda * (first + k) * step - high);
  return high + Math.log(sum);
}

interface Tilted {
  readonly mass: Float64Array;
  /** log E[e^(lambda l)] over finite losses. */
  readonly logMoment: number;
  /** Mean cell of the tilted distribution. */
  readonly mean: number;
  /** Its standard deviation, in cells. */
  readonly deviation: number;
}

export function tiltedMass({ step, first, mass }: GridLoss, tilt: number): Tilted {
  const logs = new Float64Array(mass.length);
  let high = -Infinity;
  for (let k = 0; k < mass.length; k++) {
    const log = Math.log(mass[k] as number) + tilt * (first + k) * step;
    logs[k] = log;
    high = Math.max(high, log);
  }
  const out = new Float64Array(mass.length);
  let sum = 0;
  let weighted = 0;
  let squares = 0;
  for (let k = 0; k < mass.length; k++) {
    const value = Math.exp((logs[k] as number) - high);
    out[k] = value;
    sum += value;
    weighted += k * value;
  }
  const mean = weighted / sum;
  for (let k = 0; k < mass.length; k++) {
    const value = out[k] as number;
    squares += value * (k - mean) * (k - mean);
    out[k] = value / sum;
  }
  return { mass: out, logMoment: high + Math.log(sum), mean, deviation: Math.sqrt(squares / sum) };
}

/**
 * Every value to the power of `steps`. Returns a bound on the error of each value of the inverse transform: the transform's own error,
 * log2(n) roundings of values that add up to 1, grows with the power as T |z|^(T - 1).
 */
function powerInto(re: Float64Array, im: Float64Array, steps: number): number {
  const n = re.length;
  const unit = 2 ** -52 * (Math.log2(n) + 4);
  let error = 0;
  for (let k = 0; k < n; k++) {
    const x = re[k] as number;
    const y = im[k] as number;
    const size = Math.min(1, Math.hypot(x, y));
    const power = size ** steps;
    const angle = Math.atan2(y, x) * steps;
    re[k] = power * Math.cos(angle);
    im[k] = power * Math.sin(angle);
    error += (steps + Math.log2(n)) * Math.max(power, (size + unit) ** (steps - 1) * Math.min(1, size + unit));
  }
  return (unit * error) / n;
}

interface Descent {
  readonly delta: number;
  readonly infinite: number;
  readonly step: number;
  readonly top: number;
  readonly bottom: number;
  readonly lossAt: (s: number) => number;
}

/**
 * From the highest cell down: delta(l) = infinite + sum over cells above l of p (1 - e^(l - loss)), built up from positive parts only.
 * Between two cells it is A - e^epsilon B, which is solved for epsilon.
 */
function descend({ delta, infinite, step, top, bottom, lossAt }: Descent, massAt: (s: number) => number): number {
  const shrink = Math.exp(-step);
  const rest = -Math.expm1(-step);
  // Sum over the cells above the current one: of p, of p e^(l - loss), and what makes up delta.
  let discounted = 0;
  let deltaHere = infinite;
  for (let s = top; s > bottom; s--) {
    const here = lossAt(s);
    if (here <= 0) return 0;
    const mass = massAt(s);
    // delta at the next lower cell.
    const next = deltaHere + rest * (discounted + mass);
    if (next > delta) {
      // Between them, x above the lower cell: delta(x) = next - (e^x - 1) * shrink * (discounted + mass).
      const slope = shrink * (discounted + mass);
      const x = Math.log1p((next - delta) / slope);
      return Math.max(0, here - step + Math.min(step, x));
    }
    deltaHere = next;
    discounted = shrink * (discounted + mass);
  }
  // The whole window lies below delta: what is left below it cannot be told apart.
  return Math.max(0, lossAt(bottom + 1));
}
