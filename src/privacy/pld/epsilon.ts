// Epsilon of the sampled Gaussian mechanism from its privacy loss distribution: tighter than any Rényi curve, because nothing is lost
// in the conversion. The grid is chosen from the Rényi result; a bad choice makes the answer looser and never smaller than the truth.

import { gaussianEpsilon } from '../gaussian.js';
import { PRIVACY_LIMITS } from '../limits.js';
import type { SampledGaussian } from '../rdp/sampled-gaussian.js';
import { composedEpsilon, tailAbove, tiltedMass } from './compose.js';
import { discretise, type GridTerms } from './discretise.js';
import { additionLoss, removalLoss, type LossCurve } from './loss.js';

/** What a Rényi accountant found, from which the grid follows. */
export interface Guide {
  readonly epsilon: number;
  readonly order: number;
}

/** Epsilon of T steps at delta, for removing and for adding a record, whichever is larger. At most the guide's, which holds too. */
export function pldEpsilon(mechanism: SampledGaussian, steps: number, delta: number, guide: Guide): number {
  const { sampling: q, noise: sigma } = mechanism;
  if (q === 0 || guide.epsilon === 0) return 0;
  if (q === 1) return Math.min(guide.epsilon, gaussianEpsilon(sigma / Math.sqrt(steps), delta));
  if (!Number.isFinite(guide.epsilon)) return guide.epsilon;
  const worst = Math.max(
    ...[removalLoss(q, sigma), additionLoss(q, sigma)].map((curve) => epsilonOfLoss(curve, steps, delta, guide)),
  );
  return worst < guide.epsilon ? worst : guide.epsilon;
}

/** Cells of the first look at a loss, from which its spread and so the step are found. */
const SURVEY_CELLS = 1 << 11;
/** Grid steps in a standard deviation of one loss: the spread to grid points then adds 1e-4 of its variance. */
const STEPS_IN_DEVIATION = 40;
/** Half the window, in standard deviations of the tilted sum. */
const WINDOW_DEVIATIONS = 10;
/** Part of delta that sums above the window may cost. */
const TAIL_SHARE = 1e-6;
/** Part of delta that losses cut off above may cost over all steps. */
const CUT_SHARE = 1e-8;

/** Epsilon of the sum of T independent losses of one direction. */
export function epsilonOfLoss(curve: LossCurve, steps: number, delta: number, guide: Guide): number {
  const tilt = guide.order - 1;
  const range = lossRange(curve, (delta * CUT_SHARE) / steps);
  const surveyStep = (range.high - range.low) / SURVEY_CELLS;
  // One loss, as far as doubles can tell, but for a part of delta that is cut: the sum is at most T of it.
  if (!(surveyStep > 2 ** -40 * Math.abs(range.high))) return Math.max(0, steps * range.high);
  const survey = tiltedMass(discretise(curve, { step: surveyStep, ...range }), tilt);
  // A survey whose cells are wider than the spread says only that the spread is below a cell; its second look is finer.
  const deviation = survey.deviation * surveyStep;
  const step = stepFor(deviation, range, steps);
  const grid = discretise(curve, { step, ...range });
  const tilted = tiltedMass(grid, tilt);
  const width = 2 * WINDOW_DEVIATIONS * tilted.deviation * Math.sqrt(steps) + 4;
  const middle = steps * (grid.first + tilted.mean) * step;
  let cells = Math.min(PRIVACY_LIMITS.lossCellsMax, 2 ** Math.ceil(Math.log2(Math.max(width, grid.mass.length, 64))));
  // Rare large losses reach further than the deviation says.
  while (
    cells < PRIVACY_LIMITS.lossCellsMax &&
    tailAbove(grid, { steps, tilt }, middle + (cells / 2 - 2) * step) > delta * TAIL_SHARE
  )
    cells *= 2;
  return composedEpsilon(grid, { steps, tilt, cells }, delta);
}

/** As fine as the deviation asks, as coarse as the number of cells demands: for the range of one loss and the window of the sum. */
function stepFor(deviation: number, { low, high }: Pick<GridTerms, 'low' | 'high'>, steps: number): number {
  const window = 2 * WINDOW_DEVIATIONS * deviation * Math.sqrt(steps);
  const coarsest = Math.max(high - low, window) / (PRIVACY_LIMITS.lossCellsMax / 2);
  return Math.max(deviation / STEPS_IN_DEVIATION, coarsest);
}

/** Losses between which all but `cut` of the probability lies. */
function lossRange(curve: LossCurve, cut: number): { low: number; high: number } {
  // The tail of a standard normal variable beyond x is below e^(-x^2/2) / 2.
  const reach = Math.min(37, Math.sqrt(2 * Math.log(1 / cut)));
  const shift = curve.high - -curve.low;
  return { low: curve.loss(-reach), high: curve.loss(reach + shift) };
}
