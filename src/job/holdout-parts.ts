// What is summed over a hold-out part, by kind of target: one list from which layout, contribution and metrics follow.

import type { LossSettings } from '../model/index.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import type { Recipe } from './recipe-terms.js';
import { isBinary, isClassification, TARGET_OF } from './recipe-loss.js';

export interface MetricTerms {
  readonly recipe: Recipe;
  readonly contract: Contract;
}

/** Sums over the records of a hold-out part, or of one category of it, as a silo's trainer gives them. */
export interface HoldoutSums {
  /** Records. */
  readonly count: number;
  /** Sum of their losses. */
  readonly lossSum: number;
  /** Records predicted right; read for classification only. */
  readonly correct: number;
  /** Score histograms of records with target 1 and 0, `histogram_bins` long; read for binary targets only. */
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
  /** Sums of abs(prediction - target), its square, target and its square, in the target's unit; needed for targets of kind real. */
  readonly errors?: {
    readonly absolute: number;
    readonly squared: number;
    readonly target: number;
    readonly targetSquares: number;
  };
  /** Records by time and score, `histogram_bins` squared long; needed for survival targets. */
  readonly survival?: { readonly events: ArrayLike<number>; readonly censored: ArrayLike<number> };
}

export interface HoldoutPart {
  readonly name: string;
  readonly length: number;
  /** A count of records, or the most that one record adds on average, at which a silo cuts its sum. */
  readonly perRecord: 'count' | number;
  /** Throws JobError `job/bad-contribution` on sums that lack it. */
  readonly values: (sums: HoldoutSums) => ArrayLike<number>;
}

export function holdoutParts({ recipe, contract }: MetricTerms): readonly HoldoutPart[] {
  const { loss, histogramBins: bins } = recipe;
  const count = (name: string, length: number, values: HoldoutPart['values']): HoldoutPart => ({
    name,
    length,
    perRecord: 'count',
    values,
  });
  const sum = (name: string, perRecord: number, value: (sums: HoldoutSums) => number): HoldoutPart => ({
    name,
    length: 1,
    perRecord,
    // What is not finite stays so, and is refused.
    values: (sums) => [value(sums) < Infinity ? Math.min(value(sums), sums.count * perRecord) : value(sums)],
  });
  const parts = [
    count('rows', 1, (sums) => [sums.count]),
    sum('loss', lossBound(loss, contract), ({ lossSum }) => lossSum),
  ];
  if (isClassification(loss)) parts.push(count('correct', 1, ({ correct }) => [correct]));
  if (isBinary(loss))
    parts.push(
      count('positive', bins, ({ positives }) => positives),
      count('negative', bins, ({ negatives }) => negatives),
    );
  const { target } = contract;
  if (TARGET_OF[loss.kind] === 'real' && target?.kind === 'real') {
    const { minimum } = target;
    const width = target.maximum - minimum;
    parts.push(
      sum('absolute-error', width, (sums) => demand(sums.errors).absolute),
      sum('squared-error', width ** 2, (sums) => demand(sums.errors).squared),
      sum('target', width, (sums) => Math.max(0, demand(sums.errors).target - sums.count * minimum)),
      sum('target-squares', width ** 2, (sums) => {
        const { target: first, targetSquares: second } = demand(sums.errors);
        return Math.max(0, second - 2 * minimum * first + sums.count * minimum ** 2);
      }),
    );
  }
  if (TARGET_OF[loss.kind] === 'survival')
    parts.push(
      count('events', bins * bins, ({ survival }) => demand(survival).events),
      count('censored', bins * bins, ({ survival }) => demand(survival).censored),
    );
  return parts;
}

/**
 * Bound on the mean loss of a silo's records, at which their sum is cut, so that one silo's records cannot overflow the sum. Cross
 * entropies in nats: 20 is a model that gave the truth a probability of 2e-9. Squared error: a prediction at the far end of the
 * target's declared range.
 */
export function lossBound(loss: LossSettings, contract: Contract): number {
  if (loss.kind !== 'squared-error' && loss.kind !== 'huber') return 20;
  const { target } = contract;
  if (target?.kind !== 'real') throw new JobError('job/bad-manifest', `${loss.kind} needs a target of kind real.`);
  const width = target.maximum - target.minimum;
  if (loss.kind === 'squared-error') return width * width;
  return loss.delta < width ? loss.delta * (width - loss.delta / 2) : (width * width) / 2;
}

function demand<T>(part: T | undefined): T {
  if (part === undefined)
    throw new JobError('job/bad-contribution', 'the sums over the hold-out part are those of another kind of target.');
  return part;
}
