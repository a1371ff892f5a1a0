// How a silo trains: the manifest's `recipe`, parsed once into a type in which every field has been checked.

import { equalBytes } from '../base/index.js';
import type { LossSettings } from '../model/index.js';
import { TrainingRecipe, encode } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import { checkLoss, readLoss, writeLoss } from './recipe-loss.js';
import { checkMethod, readMethod, writeMethod } from './recipe-method.js';
import { checkOptimiser, readOptimiser, writeOptimiser } from './recipe-optimiser.js';
import { checkStoppingRule, readStoppingRule } from './recipe-stopping.js';
import { checkSchedule, readSchedule, writeSchedule } from './recipe-schedule.js';
import type { LocalMethod, LocalWork, LossName, OptimiserSetting, Recipe } from './recipe-terms.js';
import { JobError } from './errors.js';
import { JOB_LIMITS } from './limits.js';
import { isWhole, Problems } from './problems.js';

export type { LocalMethod, LocalWork, LossName, OptimiserSetting, Recipe };

/** Throws JobError `job/bad-recipe` with every bad field. */
export function parseRecipe(bytes: Uint8Array): Recipe {
  const message = decodeCanonical(TrainingRecipe, 'training recipe', bytes, 'job/bad-recipe');
  const problems = new Problems();
  const loss = readLoss(message, problems);
  const optimiser = readOptimiser(message.optimiser, problems);
  const localWork = readLocalWork(message.localWork, problems);
  const recipe: Recipe = {
    // Each is undefined only where a problem was recorded, and then `throwIfAny` throws.
    loss: loss as LossSettings,
    optimiser: optimiser as OptimiserSetting,
    ...readSchedule(message.schedule),
    maxGradientNorm: message.maxGradientNorm === 0 ? undefined : message.maxGradientNorm,
    method: readMethod(message.method),
    batchSize: message.batchSize,
    localWork: localWork as LocalWork,
    holdoutFraction: message.holdoutFraction,
    histogramBins: message.histogramBins,
    weightRows: Number(message.weightRows),
    slices: message.slices,
    ...(message.earlyStopping === undefined ? {} : { earlyStopping: readStoppingRule(message.earlyStopping) }),
  };
  if (problems.list.length === 0) checkRecipe(recipe, problems);
  else checkNumbers(recipe, problems);
  problems.throwIfAny('job/bad-recipe', 'the training recipe');
  // A field of another loss, say, would be approved unread.
  if (!equalBytes(encodeRecipe(recipe), bytes))
    throw new JobError(
      'job/bad-recipe',
      'the training recipe: it sets fields that its own loss or schedule does not use.',
    );
  return recipe;
}

/** The bytes that `parseRecipe` reads back. Throws JobError `job/bad-recipe` on a recipe that it would refuse. */
export function encodeRecipe(recipe: Recipe): Uint8Array<ArrayBuffer> {
  const problems = new Problems();
  checkRecipe(recipe, problems);
  problems.throwIfAny('job/bad-recipe', 'the training recipe');
  return encode(TrainingRecipe, {
    ...writeLoss(recipe.loss),
    optimiser: { kind: writeOptimiser(recipe.optimiser) },
    schedule: writeSchedule(recipe),
    maxGradientNorm: recipe.maxGradientNorm ?? 0,
    method: writeMethod(recipe.method),
    batchSize: recipe.batchSize,
    localWork:
      recipe.localWork.kind === 'epochs'
        ? { $case: 'epochs', value: recipe.localWork.epochs }
        : { $case: 'steps', value: recipe.localWork.steps },
    holdoutFraction: recipe.holdoutFraction,
    histogramBins: recipe.histogramBins,
    weightRows: BigInt(recipe.weightRows),
    slices: [...recipe.slices],
    earlyStopping: recipe.earlyStopping && { ...recipe.earlyStopping },
  });
}

function checkRecipe(recipe: Recipe, problems: Problems): void {
  checkLoss(recipe.loss, recipe.batchSize, problems);
  checkOptimiser(recipe.optimiser, problems);
  checkSchedule(recipe, problems);
  checkMethod(recipe, problems);
  checkLocalWork(recipe.localWork, problems);
  checkNumbers(recipe, problems);
  checkStoppingRule(recipe.earlyStopping, recipe, problems);
  const { coxBinsMax } = JOB_LIMITS;
  problems.require(
    recipe.loss.kind !== 'cox' || recipe.histogramBins <= coxBinsMax,
    'histogram_bins',
    `at most ${String(coxBinsMax)} with the loss cox, which counts records by time and by score`,
  );
}

function checkNumbers(recipe: Recipe, problems: Problems): void {
  const { batchSizeMax, holdoutFractionMax, histogramBinsMin, histogramBinsMax, rowsMax } = JOB_LIMITS;
  problems.require(isWhole(recipe.batchSize, 1, batchSizeMax), 'batch_size', `1 to ${String(batchSizeMax)} records`);
  problems.require(
    // Written so that NaN fails.
    recipe.holdoutFraction >= 0 && recipe.holdoutFraction <= holdoutFractionMax,
    'holdout_fraction',
    `a number from 0 to ${String(holdoutFractionMax)}`,
  );
  problems.require(
    isWhole(recipe.histogramBins, histogramBinsMin, histogramBinsMax),
    'histogram_bins',
    `${String(histogramBinsMin)} to ${String(histogramBinsMax)} bins`,
  );
  problems.require(
    recipe.slices.length <= JOB_LIMITS.slicesMax && new Set(recipe.slices).size === recipe.slices.length,
    'slices',
    `at most ${String(JOB_LIMITS.slicesMax)} columns, each once`,
  );
  problems.require(
    recipe.slices.length === 0 || recipe.holdoutFraction > 0,
    'slices',
    'nothing without a hold-out part, which they divide',
  );
  problems.require(isWhole(recipe.weightRows, 1, rowsMax), 'weight_rows', `1 to ${String(rowsMax)} records`);
  const norm = recipe.maxGradientNorm;
  problems.require(
    norm === undefined || (norm > 0 && norm < Infinity),
    'max_gradient_norm',
    'a finite number above 0, or nothing',
  );
}

function readLocalWork(message: TrainingRecipe['localWork'], problems: Problems): LocalWork | undefined {
  if (message === undefined) {
    problems.add('epochs', 'epochs or steps');
    return undefined;
  }
  const work: LocalWork =
    message.$case === 'epochs' ? { kind: 'epochs', epochs: message.value } : { kind: 'steps', steps: message.value };
  return work;
}

function checkLocalWork(work: LocalWork, problems: Problems): void {
  const { epochsMax, stepsMax } = JOB_LIMITS;
  if (work.kind === 'epochs')
    problems.require(isWhole(work.epochs, 1, epochsMax), 'epochs', `1 to ${String(epochsMax)}`);
  else problems.require(isWhole(work.steps, 1, stepsMax), 'steps', `1 to ${String(stepsMax)}`);
}
