// The loop of one local training. It runs in the trainer's thread; the same seed, parameters and table give the same bits.

import { clipGradientInto, correctInto, createOptimiser, pullTowardsInto } from '../model/index.js';
import { MaskSource } from './dropout.js';
import { TrainerError } from './errors.js';
import { stepsOf, type TrainingRecipe } from './recipe.js';
import { Shuffler } from './shuffle.js';
import type { TrainingStep } from './step.js';
import type { PrivateTerms } from './private-terms.js';
import { rowReader, type AnyTable } from './table.js';

export interface TrainingRequest {
  /** Where training starts: the global model of the round. */
  readonly parameters: Float32Array;
  readonly table: AnyTable;
  readonly recipe: TrainingRecipe;
  /** 32 bytes; decides the order of rows and what dropout drops. */
  readonly seed: Uint8Array;
  /** SCAFFOLD's c - c_i, of the length of the parameters. */
  readonly correction?: Float32Array | undefined;
  /** DP-SGD in place of plain steps. */
  readonly privacy?: PrivateTerms | undefined;
}

export interface TrainingResult {
  readonly parameters: Float32Array;
  readonly steps: number;
  /** Mean of the steps' losses, each before its update, weighted by the rows' weights. */
  readonly meanLoss: number;
  /** True where DP-SGD had to take one row at a time. */
  readonly oneByOne?: boolean;
}

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly meanLoss: number;
}

export interface Hooks {
  /** Asked before every step. */
  readonly aborted: () => boolean;
  /** Told about a hundred times during a training. */
  readonly progress: (progress: Progress) => void;
}

const REPORTS = 100;

/** The table has been checked. Throws `trainer/diverged`, `trainer/aborted`, `trainer/bad-recipe` or `model/bad-optimiser`. */
export async function trainLocally(
  step: TrainingStep,
  request: TrainingRequest,
  hooks: Hooks,
): Promise<TrainingResult> {
  const { table, recipe, correction } = request;
  const { maxGradientNorm, proximal = 0 } = recipe;
  const steps = stepsOf(recipe, table.rows);
  const optimiser = createOptimiser(recipe.optimiser, request.parameters.length);
  const shuffler = new Shuffler(request.seed);
  const masks = new MaskSource(request.seed);
  const order = new Uint32Array(table.rows);
  const read = rowReader(table);
  const reportEvery = Math.ceil(steps / REPORTS);
  const { parameters, gradient } = step;
  parameters.set(request.parameters);
  let lossSum = 0;
  let weightSum = 0;
  let position = table.rows;
  for (let done = 1; done <= steps; done++) {
    if (hooks.aborted())
      throw new TrainerError('trainer/aborted', `stopped before step ${String(done)} of ${String(steps)}`);
    if (position >= table.rows) {
      shuffler.permuteInto(order);
      position = 0;
    }
    const weight = step.batch.fill(table, read, order, position);
    position += recipe.batchSize;
    const loss = await step.run(masks);
    if (!Number.isFinite(loss)) throw diverged(`the loss is not finite at step ${String(done)}`);
    lossSum += loss * weight;
    weightSum += weight;
    if (maxGradientNorm !== undefined) clipGradientInto(gradient, maxGradientNorm);
    if (proximal > 0) pullTowardsInto(gradient, parameters, request.parameters, proximal);
    if (correction !== undefined) correctInto(gradient, correction);
    optimiser.step(parameters, gradient, recipe.learningRate);
    step.settle();
    if (done % reportEvery === 0) hooks.progress({ step: done, steps, meanLoss: lossSum / weightSum });
  }
  // A parameter can overflow in the last step, whose loss was still finite.
  if (parameters.some((value) => !Number.isFinite(value)))
    throw diverged(`a parameter is not finite after step ${String(steps)}`);
  return { parameters: parameters.slice(), steps, meanLoss: lossSum / weightSum };
}

export function diverged(what: string): TrainerError {
  return new TrainerError('trainer/diverged', `training diverged: ${what}`);
}
