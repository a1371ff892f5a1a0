// How a silo trains: the manifest's `recipe`, parsed once into a type in which every field has been checked.

import { Loss, TrainingRecipe, type Optimiser as OptimiserMessage, encode } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import { JOB_LIMITS } from './limits.js';
import { isPositive, isWhole, Problems } from './problems.js';

/** The names of model/'s losses. */
export type LossName = 'binary-cross-entropy' | 'softmax-cross-entropy' | 'squared-error';

export type OptimiserSetting =
  | { readonly kind: 'sgd'; readonly learningRate: number; readonly momentum: number }
  | {
      readonly kind: 'adam';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    };

export type LocalWork =
  | { readonly kind: 'epochs'; readonly epochs: number }
  | { readonly kind: 'steps'; readonly steps: number };

export interface Recipe {
  readonly loss: LossName;
  readonly optimiser: OptimiserSetting;
  /** Records in one step. */
  readonly batchSize: number;
  /** What one round trains. */
  readonly localWork: LocalWork;
  /** Part of the records held out for evaluation, [0, 0.9]. */
  readonly holdoutFraction: number;
  readonly histogramBins: number;
  /** Records that count as weight 1; a silo with more counts as 1. */
  readonly weightRows: number;
}

const LOSS_NAMES: ReadonlyMap<Loss, LossName> = new Map([
  [Loss.LOSS_BINARY_CROSS_ENTROPY, 'binary-cross-entropy'],
  [Loss.LOSS_SOFTMAX_CROSS_ENTROPY, 'softmax-cross-entropy'],
  [Loss.LOSS_SQUARED_ERROR, 'squared-error'],
]);

const LOSS_NUMBERS = {
  'binary-cross-entropy': Loss.LOSS_BINARY_CROSS_ENTROPY,
  'softmax-cross-entropy': Loss.LOSS_SOFTMAX_CROSS_ENTROPY,
  'squared-error': Loss.LOSS_SQUARED_ERROR,
} as const satisfies Record<LossName, Loss>;

/** Throws JobError `job/bad-recipe` with every bad field. */
export function parseRecipe(bytes: Uint8Array): Recipe {
  const message = decodeCanonical(TrainingRecipe, 'training recipe', bytes, 'job/bad-recipe');
  const problems = new Problems();
  const loss = LOSS_NAMES.get(message.loss);
  problems.require(loss !== undefined, 'loss', 'a loss that this version knows');
  const optimiser = readOptimiser(message.optimiser, problems);
  const localWork = readLocalWork(message.localWork, problems);
  const recipe = {
    batchSize: message.batchSize,
    holdoutFraction: message.holdoutFraction,
    histogramBins: message.histogramBins,
    weightRows: Number(message.weightRows),
  };
  checkNumbers(recipe, problems);
  problems.throwIfAny('job/bad-recipe', 'the training recipe');
  // Each is undefined only where a problem was recorded, and then the line above has thrown.
  return {
    ...recipe,
    loss: loss as LossName,
    optimiser: optimiser as OptimiserSetting,
    localWork: localWork as LocalWork,
  };
}

/** The bytes that `parseRecipe` reads back. Throws JobError `job/bad-recipe` on a recipe that it would refuse. */
export function encodeRecipe(recipe: Recipe): Uint8Array<ArrayBuffer> {
  const problems = new Problems();
  checkOptimiser(recipe.optimiser, problems);
  checkLocalWork(recipe.localWork, problems);
  checkNumbers(recipe, problems);
  problems.throwIfAny('job/bad-recipe', 'the training recipe');
  return encode(TrainingRecipe, {
    loss: LOSS_NUMBERS[recipe.loss],
    optimiser: { kind: writeOptimiser(recipe.optimiser) },
    batchSize: recipe.batchSize,
    localWork:
      recipe.localWork.kind === 'epochs'
        ? { $case: 'epochs', value: recipe.localWork.epochs }
        : { $case: 'steps', value: recipe.localWork.steps },
    holdoutFraction: recipe.holdoutFraction,
    histogramBins: recipe.histogramBins,
    weightRows: BigInt(recipe.weightRows),
  });
}

type Numbers = Pick<Recipe, 'batchSize' | 'holdoutFraction' | 'histogramBins' | 'weightRows'>;

function checkNumbers(recipe: Numbers, problems: Problems): void {
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
  problems.require(isWhole(recipe.weightRows, 1, rowsMax), 'weight_rows', `1 to ${String(rowsMax)} records`);
}

function readOptimiser(message: OptimiserMessage | undefined, problems: Problems): OptimiserSetting | undefined {
  const kind = message?.kind;
  if (kind === undefined) {
    problems.add('optimiser', 'sgd or adam');
    return undefined;
  }
  const optimiser = { kind: kind.$case, ...kind.value } as OptimiserSetting;
  checkOptimiser(optimiser, problems);
  return optimiser;
}

function checkOptimiser(optimiser: OptimiserSetting, problems: Problems): void {
  const path = `optimiser.${optimiser.kind}`;
  problems.require(isPositive(optimiser.learningRate), `${path}.learning_rate`, 'a finite number above 0');
  const belowOne = (value: number, field: string): void => {
    problems.require(value >= 0 && value < 1, `${path}.${field}`, 'a number from 0 to below 1');
  };
  switch (optimiser.kind) {
    case 'sgd':
      belowOne(optimiser.momentum, 'momentum');
      return;
    case 'adam':
      belowOne(optimiser.beta1, 'beta1');
      belowOne(optimiser.beta2, 'beta2');
      problems.require(isPositive(optimiser.epsilon), `${path}.epsilon`, 'a finite number above 0');
  }
}

function writeOptimiser(optimiser: OptimiserSetting): OptimiserMessage['kind'] {
  switch (optimiser.kind) {
    case 'sgd':
      return { $case: 'sgd', value: { learningRate: optimiser.learningRate, momentum: optimiser.momentum } };
    case 'adam': {
      const { learningRate, beta1, beta2, epsilon } = optimiser;
      return { $case: 'adam', value: { learningRate, beta1, beta2, epsilon } };
    }
  }
}

function readLocalWork(message: TrainingRecipe['localWork'], problems: Problems): LocalWork | undefined {
  if (message === undefined) {
    problems.add('epochs', 'epochs or steps');
    return undefined;
  }
  const work: LocalWork =
    message.$case === 'epochs' ? { kind: 'epochs', epochs: message.value } : { kind: 'steps', steps: message.value };
  checkLocalWork(work, problems);
  return work;
}

function checkLocalWork(work: LocalWork, problems: Problems): void {
  const { epochsMax, stepsMax } = JOB_LIMITS;
  if (work.kind === 'epochs')
    problems.require(isWhole(work.epochs, 1, epochsMax), 'epochs', `1 to ${String(epochsMax)}`);
  else problems.require(isWhole(work.steps, 1, stepsMax), 'steps', `1 to ${String(stepsMax)}`);
}
