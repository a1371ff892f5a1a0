// DP-SGD in the silos: what a job file says of it, what of the rest of a job must not depend on records, and which epsilon follows. The
// unit is one record, or one person with all records in a silo. docs/privacy.md.

import { epsilonOfUses, type RdpBound } from '../privacy/index.js';
import type { UnitNoise } from '../wire/index.js';
import { JobError } from './errors.js';
import { isPositive, isWhole, Problems } from './problems.js';
import type { Recipe } from './recipe-terms.js';

export interface UnitNoiseTerms {
  /** The column whose equal values make one unit; each record is one unless given. */
  readonly unitColumn?: string | undefined;
  /** C: L2 norm to which the gradient of one unit is cut. */
  readonly clip: number;
  /** sigma, in clips; or `epsilon`, from which it follows. */
  readonly noise?: number | undefined;
  /** What all rounds together may cost. */
  readonly epsilon?: number | undefined;
  readonly delta: number;
  /** Units below which a silo takes no part: as many as the records that `data.minRows` asks for, unless given. */
  readonly minUnits?: number | undefined;
}

/** Terms of a run as the accountant takes them. */
export interface UnitRun {
  readonly sampling: number;
  readonly noise: number;
  /** Of all rounds. */
  readonly steps: number;
}

/** Epsilon of a run at delta. Throws JobError `job/bad-manifest` where nothing bounds it. */
export function epsilonOfUnits({ sampling, noise, steps }: UnitRun, delta: number): RdpBound {
  const bound = epsilonOfUses([{ mechanism: { kind: 'sampled-gaussian', sampling, noise, steps }, times: 1 }], delta);
  if (bound.epsilon === Infinity)
    throw new JobError(
      'job/bad-manifest',
      `a noise of ${String(noise)} clips over ${String(steps)} steps proves no epsilon at delta ${String(delta)}: raise one of them.`,
    );
  return bound;
}

const NOISE_MAX = 1e4;
/** Digits of a noise that is worked out: it is rounded up, so that epsilon stays within what was asked for. */
const NOISE_STEPS = 1e4;

/** The smallest noise whose epsilon stays within what is asked for. Throws JobError `job/bad-job-file`. */
export function noiseOfEpsilon(run: Omit<UnitRun, 'noise'>, epsilon: number, delta: number): number {
  const within = (noise: number): boolean =>
    epsilonOfUses([{ mechanism: { kind: 'sampled-gaussian', ...run, noise }, times: 1 }], delta).epsilon <= epsilon;
  let high = 1;
  while (!within(high)) {
    high *= 2;
    if (high > NOISE_MAX)
      throw new JobError(
        'job/bad-job-file',
        `training.privacy: no noise up to ${String(NOISE_MAX)} clips keeps ${String(run.steps)} steps within epsilon ${String(epsilon)} at delta ${String(delta)}.`,
      );
  }
  let low = 0;
  while (high - low > 0.5 / NOISE_STEPS) {
    const middle = (low + high) / 2;
    if (within(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(high * NOISE_STEPS) / NOISE_STEPS;
}

/** q of a silo with so many units. */
export function samplingOf(batch: number, units: number): number {
  return Math.min(1, batch / units);
}

/** The run of a manifest in a silo with so many units; the smallest that takes part unless given. */
export function runOf(noise: UnitNoise, rounds: number, units = Number(noise.minUnits)): UnitRun {
  return { sampling: samplingOf(noise.batch, units), noise: noise.noise, steps: noise.steps * rounds };
}

/** With the names of a job file. */
export function checkUnitNoise(terms: UnitNoiseTerms, recipe: Recipe, minRows: number, problems: Problems): void {
  const { clip, noise, epsilon, delta, minUnits } = terms;
  problems.require(isPositive(clip), 'training.privacy.clip', 'a finite number above 0: the length of one gradient');
  problems.require(
    (noise === undefined) !== (epsilon === undefined),
    'training.privacy.noise',
    'either noise, in clips, or epsilon, from which it follows',
  );
  problems.require(
    isPositive(noise ?? epsilon ?? 0),
    noise === undefined ? 'training.privacy.epsilon' : 'training.privacy.noise',
    'a finite number above 0',
  );
  problems.require(
    delta > 0 && delta < 1,
    'training.privacy.delta',
    'a probability above 0 and below 1, well below one over the number of records',
  );
  problems.require(
    minUnits === undefined || isWhole(minUnits, 1, minRows),
    'training.privacy.minUnits',
    `1 to data.minRows, ${String(minRows)}: no silo with that few records has more`,
  );
  problems.require(recipe.localWork.kind === 'steps', 'training.steps', 'steps in place of epochs, with privacy');
  problems.require(
    recipe.holdoutFraction === 0,
    'evaluation.holdoutFraction',
    '0 with privacy: metrics would travel without noise; measure the model in an evaluation job',
  );
  problems.require(
    recipe.method.kind === 'plain' || recipe.method.kind === 'fed-prox',
    'training.method',
    'plain or fed-prox with privacy',
  );
  problems.require(
    recipe.loss.kind !== 'cox',
    'training.loss',
    'a loss of single records with privacy: in Cox’s likelihood no record has a gradient of its own',
  );
}

/** What a silo checks of a manifest beside its epsilon: nothing else in the sum may have seen records without noise. */
export function whatElseSeesUnits(recipe: Recipe, noise: UnitNoise, unitColumn: string | undefined): Problems['list'] {
  const problems = new Problems();
  problems.require(recipe.holdoutFraction === 0, 'recipe.holdout_fraction', '0: metrics would travel without noise');
  problems.require(
    recipe.method.kind === 'plain' || recipe.method.kind === 'fed-prox',
    'recipe.method',
    'plain or fed-prox in a job with noise',
  );
  problems.require(recipe.loss.kind !== 'cox', 'recipe.loss', 'a loss of single records');
  problems.require(recipe.batchSize === noise.batch, 'unit_noise.batch', 'the batch of the recipe');
  problems.require(
    recipe.localWork.kind === 'steps' && recipe.localWork.steps === noise.steps,
    'unit_noise.steps',
    'the steps of the recipe',
  );
  problems.require(
    (unitColumn ?? '') === noise.unitColumn,
    'unit_noise.unit_column',
    'the column of the data contract',
  );
  return problems.list;
}
