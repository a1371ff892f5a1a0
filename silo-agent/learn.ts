// One silo's learning in a round, from its records and the model of the round to the values that it puts into the vector. Nothing here
// touches the disk or the network.

import {
  clippedControl,
  commonControl,
  evaluationSegments,
  sliceColumns,
  trainingSegments,
  weightCount,
  type Job,
  type ModelState,
  type Recipe,
  type SliceColumn,
  type SlicedSums,
} from '../src/job/index.js';
import { controlChange, learningRateAt, reachOf } from '../src/model/index.js';
import type { RowGroups, Table, Trainer, TrainingRecipe } from '../src/trainer/index.js';
import type { Layout, SegmentValues } from '../src/vector/index.js';

export interface LearningRound {
  readonly job: Exclude<Job, { kind: 'statistics' }>;
  readonly layout: Layout;
  /** From 1. */
  readonly round: number;
  /** Last round that trains. */
  readonly rounds: number;
  /** True for the round that only measures the final model. */
  readonly closing: boolean;
  /** What the round starts from. */
  readonly state: ModelState;
  readonly train: Table;
  /** May have no rows. */
  readonly holdout: Table;
  /** 32 bytes; decides the order of rows. */
  readonly seed: Uint8Array;
  /** c_i of SCAFFOLD as it was after the last round that this silo was part of; undefined before any. */
  readonly ownControl: Float64Array | undefined;
  /** Categories of a slice with fewer held-out records stay out of the sum; 0 leaves out none. */
  readonly smallestSlice?: number;
}

export interface Learned {
  readonly segments: SegmentValues[];
  readonly steps: number;
  /** c_i' of SCAFFOLD, this silo's own as soon as the round is applied with its input in the sum. */
  readonly ownControl: Float64Array | undefined;
}

/** Throws CodedError `trainer/…`, `job/bad-contribution`. */
export async function learn(
  trainer: Pick<Trainer, 'train' | 'evaluate'>,
  round: LearningRound,
  signal?: AbortSignal,
): Promise<Learned> {
  const { job, state, holdout } = round;
  const { recipe, contract } = job;
  const { parameters } = state;
  const options = signal === undefined ? {} : { signal };
  const measured =
    holdout.rows === 0
      ? nothingHeldOut(recipe)
      : await trainer.evaluate(
          {
            parameters,
            table: holdout,
            batchSize: EVALUATION_BATCH,
            bins: recipe.histogramBins,
            longestTime: contract.target?.kind === 'survival' ? contract.target.maximum : undefined,
            slices: sliceColumns(recipe, contract).map((slice) => groupsOf(slice, holdout)),
          },
          options,
        );
  const terms = { recipe, contract };
  if (job.kind === 'evaluate' || round.closing)
    return { segments: evaluationSegments(measured, terms, round.smallestSlice), steps: 0, ownControl: undefined };
  const weights = weightCount(round.layout);
  const common = recipe.method.kind === 'scaffold' ? commonControl(job, state, weights) : undefined;
  const own = round.ownControl ?? new Float64Array(weights);
  const local = trainingRecipe(recipe, round.round, round.rounds);
  const trained = await trainer.train(
    {
      parameters,
      table: round.train,
      recipe: local,
      seed: round.seed,
      correction: common === undefined ? undefined : correctionOf(common, own, parameters.length),
    },
    options,
  );
  const delta = trained.parameters.map((value, i) => value - (parameters[i] ?? 0));
  const { method, optimiser } = recipe;
  // Both methods are refused with another optimiser.
  const reach = (rate: number): number =>
    optimiser.kind === 'sgd' ? reachOf(optimiser, rate, trained.steps, 0) : trained.steps;
  const change =
    method.kind === 'scaffold' && common !== undefined
      ? clippedControl(controlChange(common, delta.subarray(0, weights), reach(local.learningRate)), method.controlClip)
      : undefined;
  const contribution = {
    delta,
    rows: round.train.rows,
    holdout: measured,
    ...(method.kind === 'fed-nova' ? { reach: reach(1) } : {}),
    ...(change === undefined ? {} : { control: change }),
  };
  return {
    segments: trainingSegments(contribution, { ...terms, layout: round.layout }, round.smallestSlice),
    steps: trained.steps,
    ownControl: change?.map((value, i) => value + (own[i] ?? 0)),
  };
}

/** c - c_i, and 0 for running statistics, which no gradient moves. */
function correctionOf(common: Float64Array, own: Float64Array, length: number): Float32Array {
  const correction = new Float32Array(length);
  common.forEach((c, i) => (correction[i] = c - (own[i] ?? 0)));
  return correction;
}

/** Rows in one evaluation step. */
const EVALUATION_BATCH = 256;

/** The category of each row: its position, as the data set gives it. */
function groupsOf({ at, categories }: SliceColumn, { rows, columns, features }: Table): RowGroups {
  return {
    ofRow: Uint16Array.from({ length: rows }, (_, row) => features[row * columns + at] ?? 0),
    groups: categories.length,
  };
}

function nothingHeldOut({ histogramBins }: Recipe): SlicedSums {
  const grid = histogramBins ** 2;
  return {
    count: 0,
    lossSum: 0,
    correct: 0,
    positives: new Float64Array(histogramBins),
    negatives: new Float64Array(histogramBins),
    errors: { absolute: 0, squared: 0, target: 0, targetSquares: 0 },
    survival: { events: new Float64Array(grid), censored: new Float64Array(grid) },
  };
}

function trainingRecipe(recipe: Recipe, round: number, rounds: number): TrainingRecipe {
  const { batchSize, localWork, optimiser, method, maxGradientNorm } = recipe;
  const { learningRate, ...settings } = optimiser;
  return {
    batchSize,
    duration: localWork,
    optimiser: settings,
    learningRate: learningRateAt({ ...recipe, learningRate }, round, rounds),
    maxGradientNorm,
    proximal: method.kind === 'fed-prox' ? method.mu : 0,
  };
}
