// From the opened sum of a statistics job to mean and standard deviation of each column. Every silo computes them by itself and bakes
// them into its model, so all must get the same bytes: float64, columns in order, + - * / and square root only.

import { segmentNamed } from '../vector/index.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import { SEGMENT } from './layout.js';
import { MIDDLE } from './statistics-noise.js';
import { checkLength, requiredValue, requiredValues, type OpenedSum } from './opened.js';

export interface ColumnStatistics {
  /** Records of all silos together. */
  readonly rows: number;
  /** Per feature, in the column's own unit. */
  readonly mean: Float64Array;
  /**
   * Population standard deviation, the square root of the mean squared distance (divided by rows, not rows - 1), in the column's own
   * unit. Exactly 0 for a column whose variance rounding alone could have produced: a model is then fed 0 for it.
   */
  readonly standardDeviation: Float64Array;
  /** Standard deviation of the noise on `rows`, at most; undefined where the sums carry none. That on a mean is as many ranges / rows. */
  readonly noise?: number;
}

/**
 * `silos`: how many contributed, |U3|. Throws JobError `job/bad-sum` on a sum that silos whose values lie within the declared ranges
 * cannot have produced.
 */
export function readStatistics(sum: OpenedSum, contract: Contract, silos: number): ColumnStatistics {
  checkLength(sum);
  if (segmentNamed(sum.layout, SEGMENT.rows)?.visibility === 'noised') return noisedStatistics(sum, contract, silos);
  const rows = requiredValue(sum, SEGMENT.rows);
  if (rows < 1 || rows > silos * contract.maxRows)
    throw new JobError('job/bad-sum', `${String(rows)} records are not what ${String(silos)} silos can have.`);
  const first = requiredValues(sum, SEGMENT.sum);
  const second = requiredValues(sum, SEGMENT.sumOfSquares);
  const columns = contract.features.length;
  if (first.length !== columns || second.length !== columns)
    throw new JobError('job/bad-sum', `the layout does not have the ${String(columns)} columns of the contract.`);
  const tolerance = roundingTolerance(sum, silos) / rows;
  const mean = new Float64Array(columns);
  const standardDeviation = new Float64Array(columns);
  contract.features.forEach(({ column, minimum, maximum }, i) => {
    // Both lengths were checked above. Means of x' and x'^2, x' in [0, 1].
    const m = (first[i] as number) / rows;
    const s = (second[i] as number) / rows;
    const variance = s - m * m;
    // What rounding can do to s - m^2, to first order and with |m| <= 1.
    const noise = 3 * tolerance;
    if (m < -tolerance || m > 1 + tolerance || s < -tolerance || s > m + 2 * tolerance || variance < -noise)
      throw new JobError(
        'job/bad-sum',
        `the sums of column ${column} are not those of values within its declared range: a silo sent something else.`,
      );
    const width = maximum - minimum;
    mean[i] = minimum + width * m;
    standardDeviation[i] = variance > noise ? width * Math.sqrt(variance) : 0;
  });
  return { rows, mean, standardDeviation };
}

/** The silo's noise is bounded by so many of its standard deviations. */
const TAIL_SIGMAS = 16;

/**
 * The same from sums that carry noise, taken around the middle of each range: what noise has put outside of what values can have is cut
 * back, and a variance that three standard deviations of the noise could have made counts as none.
 */
function noisedStatistics(sum: OpenedSum, contract: Contract, silos: number): ColumnStatistics {
  const rows = Math.round(requiredValue(sum, SEGMENT.rows));
  if (rows < 1) throw new JobError('job/bad-sum', 'noise has left no records to divide by: the sum says nothing.');
  const first = requiredValues(sum, SEGMENT.sum);
  const second = requiredValues(sum, SEGMENT.sumOfSquares);
  const columns = contract.features.length;
  const segment = segmentNamed(sum.layout, SEGMENT.sumOfSquares);
  if (first.length !== columns || second.length !== columns || segment?.quantiser.kind !== 'real')
    throw new JobError('job/bad-sum', `the layout does not have the ${String(columns)} columns of the contract.`);
  const sigma = (Math.sqrt(silos) * (segment.noiseTail ?? 0)) / TAIL_SIGMAS / segment.quantiser.scale;
  const mean = new Float64Array(columns);
  const standardDeviation = new Float64Array(columns);
  contract.features.forEach(({ minimum, maximum }, i) => {
    // Both lengths were checked above. Means of x' - 1/2 and of its square.
    const m = Math.min(MIDDLE, Math.max(-MIDDLE, (first[i] as number) / rows));
    const variance = Math.min(MIDDLE ** 2, (second[i] as number) / rows - m * m);
    const width = maximum - minimum;
    mean[i] = minimum + width * (m + MIDDLE);
    standardDeviation[i] = variance > (3 * sigma) / rows ? width * Math.sqrt(variance) : 0;
  });
  return { rows, mean, standardDeviation, noise: sigma };
}

/**
 * Error of a sum over n silos in units of x': each rounds by less than 1 / scale, without bias and independently, with a variance of
 * at most a quarter unit. Never more than n units, and for many silos within six standard deviations, 3 * sqrt(n) units.
 */
function roundingTolerance({ layout }: OpenedSum, silos: number): number {
  const quantiser = segmentNamed(layout, SEGMENT.sum)?.quantiser;
  if (quantiser?.kind !== 'real') throw new JobError('job/bad-sum', 'the sums of columns are not real numbers.');
  return Math.min(silos, 3 * Math.sqrt(silos)) / quantiser.scale;
}
