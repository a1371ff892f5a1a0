// How a silo trains between two rounds, as the job file says it.

import type { OptimiserSettings } from '../model/index.js';
import { TrainerError } from './errors.js';

/** Rows per step: beyond this a step no longer fits the memory of a hospital's machine. */
const BATCH_MAX = 65_536;
/** Steps of one local training: at the fastest measured 40 microseconds each, an hour. */
const STEPS_MAX = 100_000_000;

export interface TrainingRecipe {
  /** Rows per step; the last batch of an epoch may have fewer. */
  readonly batchSize: number;
  readonly duration:
    | { readonly kind: 'epochs'; readonly epochs: number }
    | { readonly kind: 'steps'; readonly steps: number };
  readonly optimiser: OptimiserSettings;
  /** Above 0. */
  readonly learningRate: number;
  /** Gradients are cut to this L2 norm before anything is added to them; no cut unless given. */
  readonly maxGradientNorm?: number | undefined;
  /** FedProx's mu; 0 unless given. */
  readonly proximal?: number | undefined;
}

/** Steps that the recipe takes on `rows` rows. Throws `trainer/bad-recipe`. */
export function stepsOf(recipe: TrainingRecipe, rows: number): number {
  const { duration } = recipe;
  assertWhole('batchSize', recipe.batchSize, BATCH_MAX);
  if (!(recipe.learningRate > 0 && recipe.learningRate < Infinity))
    throw new TrainerError('trainer/bad-recipe', `learningRate ${String(recipe.learningRate)} is not above 0`);
  const { maxGradientNorm = 1, proximal = 0 } = recipe;
  if (!(maxGradientNorm > 0 && maxGradientNorm < Infinity))
    throw new TrainerError('trainer/bad-recipe', `maxGradientNorm ${String(maxGradientNorm)} is not above 0`);
  if (!(proximal >= 0 && proximal < Infinity))
    throw new TrainerError('trainer/bad-recipe', `proximal ${String(proximal)} is not a number from 0`);
  const perEpoch = Math.ceil(rows / recipe.batchSize);
  const steps = duration.kind === 'epochs' ? duration.epochs * perEpoch : duration.steps;
  assertWhole(duration.kind, steps, STEPS_MAX);
  return steps;
}

export function assertWhole(name: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new TrainerError(
      'trainer/bad-recipe',
      `${name} ${String(value)} is not a whole number from 1 to ${String(max)}`,
    );
}
