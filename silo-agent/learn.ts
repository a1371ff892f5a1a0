// One silo's learning in a round, from its records and the model of the round to the values that it puts into the vector. Nothing here
// touches the disk or the network.

import {
  clippedControl,
  commonControl,
  evaluationSegments,
  joinParts,
  localOf,
  sharedOf,
  sliceColumns,
  trainingSegments,
  weightCount,
  type Job,
  type LocalPart,
  type ModelState,
  type Recipe,
  type SliceColumn,
  type SlicedSums,
} from '../src/job/index.js';
import { controlChange, learningRateAt, reachOf } from '../src/model/index.js';
import {
  rowReader,
  type AnyTable,
  type PrivateTerms,
  type RowGroups,
  type Trainer,
  type TrainingRecipe,
} from '../src/trainer/index.js';
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
  readonly train: AnyTable;
  /** May have no rows. */
  readonly holdout: AnyTable;
  /** 32 bytes; decides the order of rows. */
  readonly seed: Uint8Array;
  /** DP-SGD, where the job asks for it. */
  readonly privacy?: PrivateTerms | undefined;
  /** What this silo kept from the last round that it was part of, as `Learned.own` gave it; undefined before any. */
  readonly own: Float64Array | undefined;
  /** The parameters that it trains for itself; undefined where the job has none. */
  readonly local?: LocalPart | undefined;
  /** Categories of a slice with fewer held-out records stay out of the sum; 0 leaves out none. */
  readonly smallestSlice?: number;
}

export interface Learned {
  readonly segments: SegmentValues[];
  readonly steps: number;
  /**
   * This silo's own as soon as the round is applied with its input in the sum: c_i' of SCAFFOLD, where the job has it, and behind it the
   * local parameters. Never sent.
   */
  readonly own: Float64Array | undefined;
}

/** Throws CodedError `trainer/…`, `job/bad-contribution`. */
export async function learn(
  trainer: Pick<Trainer, 'train' | 'evaluate'>,
  round: LearningRound,
  signal?: AbortSignal,
): Promise<Learned> {
  const { job, state, holdout, local } = round;
  const { recipe, contract } = job;
  const weights = job.kind === 'train' && !round.closing ? weightCount(round.layout) : 0;
  const controls = round.own === undefined ? 0 : round.own.length - (local?.localCount ?? 0);
  const parameters =
    local === undefined
      ? state.parameters
      : joinParts(local, state.parameters, round.own?.subarray(controls) ?? local.initial);
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
    return { segments: evaluationSegments(measured, terms, round.smallestSlice), steps: 0, own: undefined };
  const common = recipe.method.kind === 'scaffold' ? commonControl(job, state, weights) : undefined;
  const own = common && (round.own?.subarray(0, controls) ?? new Float64Array(weights));
  const settings = trainingRecipe(recipe, round.round, round.rounds);
  const trained = await trainer.train(
    {
      parameters,
      table: round.train,
      recipe: settings,
      seed: round.seed,
      privacy: round.privacy,
      correction: common && own && correctionOf(common, own, state.parameters.length, local),
    },
    options,
  );
  const shared = local === undefined ? trained.parameters : sharedOf(local, trained.parameters);
  const delta = differenceOf(shared, state.parameters);
  const { method, optimiser } = recipe;
  // Both methods are refused with another optimiser.
  const reach = (rate: number): number =>
    optimiser.kind === 'sgd' ? reachOf(optimiser, rate, trained.steps, 0) : trained.steps;
  const change =
    method.kind === 'scaffold' && common !== undefined
      ? clippedControl(
          controlChange(common, delta.subarray(0, weights), reach(settings.learningRate)),
          method.controlClip,
        )
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
    own: ownOf(
      change?.map((value, i) => value + (own?.[i] ?? 0)),
      local && localOf(local, trained.parameters),
    ),
  };
}

function differenceOf(after: Float32Array, before: Float32Array): Float32Array {
  const delta = new Float32Array(after.length);
  // The trainer returns as many parameters as it was given.
  for (let i = 0; i < delta.length; i++) delta[i] = (after[i] as number) - (before[i] as number);
  return delta;
}

/** c - c_i, and 0 for running statistics, which no gradient moves, and for local parameters, which nobody else has. */
function correctionOf(
  common: Float64Array,
  own: Float64Array,
  length: number,
  local: LocalPart | undefined,
): Float32Array {
  const correction = new Float32Array(length);
  common.forEach((c, i) => (correction[i] = c - (own[i] ?? 0)));
  return local === undefined ? correction : joinParts(local, correction, []);
}

function ownOf(control: Float64Array | undefined, local: Float32Array | undefined): Float64Array | undefined {
  if (control === undefined && local === undefined) return undefined;
  const own = new Float64Array((control?.length ?? 0) + (local?.length ?? 0));
  own.set(control ?? []);
  own.set(local ?? [], control?.length ?? 0);
  return own;
}

/** Rows in one evaluation step. */
const EVALUATION_BATCH = 256;

/** The category of each row: its position, as the data set gives it. */
function groupsOf({ at, categories }: SliceColumn, table: AnyTable): RowGroups {
  const read = rowReader(table);
  const values = new Float32Array(table.columns);
  const ofRow = new Uint16Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    read(row, values, 0);
    ofRow[row] = values[at] ?? 0;
  }
  return { ofRow, groups: categories.length };
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
