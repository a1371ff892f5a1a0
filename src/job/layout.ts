// The sum layout of each kind of job, derived from what the job computes. The one that makes a manifest and every silo that checks it
// call the same function, so that no coordinate of the vector can mean something else to one of them. docs/protocol.md §2.5.

import { LIMITS } from '../base/index.js';
import { Visibility, type Segment, type SumLayout } from '../wire/index.js';
import { countSegment, realSegment, unitBudget, type Fineness, type Room } from './budget.js';
import type { Contract } from './contract.js';
import { JobError } from './errors.js';
import type { Job } from './job.js';
import { JOB_LIMITS } from './limits.js';
import { isPositive, isWhole } from './problems.js';
import type { Recipe } from './recipe.js';
import { holdoutParts } from './holdout-parts.js';
import { leftOutName, sliceColumns, sliceName } from './slices.js';
import { NO_TABLES, type StatisticsPlan } from './statistics-plan.js';
import { pairsOf, tablesOf } from './statistics-tables.js';

/** Segment names, in the order in which they stand in a vector. */
export const SEGMENT = {
  /** Training: weight * clipped change of the parameters. */
  delta: 'delta',
  /** Training with batch normalisation: weight * change of each running mean and variance. */
  runningStatistics: 'running-statistics',
  /** Training by SCAFFOLD: weight * clipped change of the silo's control variate. */
  control: 'control',
  /** Training: min(1, rows trained on / weight_rows). */
  weight: 'weight',
  /** Training: weight * L2 norm of the clipped change, from which the drift of the silos is read. */
  norm: 'norm',
  /** Training by FedNova: weight * reach of the silo's local steps. */
  reach: 'reach',
  /** Records in the hold-out part. */
  holdoutRows: 'holdout.rows',
  /** Sum over them of the loss, cut at `lossBound` per record on average. */
  holdoutLoss: 'holdout.loss',
  /** How many of them the model gets right; classification only. */
  holdoutCorrect: 'holdout.correct',
  /** Histograms of the scores of records with target 1 and 0; binary targets only. */
  holdoutPositive: 'holdout.positive',
  holdoutNegative: 'holdout.negative',
  /** Sums over them of abs(e) and e^2, e = prediction - target, and of s and s^2, s = target - its minimum; targets of kind real. */
  holdoutAbsoluteError: 'holdout.absolute-error',
  holdoutSquaredError: 'holdout.squared-error',
  holdoutTarget: 'holdout.target',
  holdoutTargetSquares: 'holdout.target-squares',
  /** Records by bin of time and, within it, bin of score: those whose event was seen, and the censored ones; survival targets only. */
  holdoutEvents: 'holdout.events',
  holdoutCensored: 'holdout.censored',
  /** Statistics: records, and per feature the sums of x' and x'^2, x' = (x - minimum) / (maximum - minimum) in [0, 1]. */
  rows: 'rows',
  sum: 'sum',
  sumOfSquares: 'sum-of-squares',
  /** Statistics: the counts of all tables, and how many silos left each of them out because it was small. */
  cells: 'cells',
  cellsLeftOut: 'cells.left-out',
  /** Statistics: sums of x' y' for each pair of a correlation matrix. */
  products: 'products',
  /** How many values of the other segments the quantiser had to cut. */
  saturated: 'saturated',
} as const;

/** Standardised inputs keep what a layer puts out, and so its mean and variance, well within this. */
export const DEFAULT_STATISTICS_CLIP = 100;

/** Steps from 0 to 1 of a coarse weight: a reader who subtracts two rounds learns a silo's size to one part in 64. */
export const COARSE_WEIGHT_STEPS = 64;

export interface TrainingTerms {
  readonly kind: 'train';
  readonly recipe: Recipe;
  readonly contract: Contract;
  /** Length of the model's vector. */
  readonly parameterCount: number;
  /** How many of them, at its end, are running statistics. None unless given. */
  readonly statisticCount?: number;
  /** Bound on weight * change of each running statistic, in its own unit. */
  readonly statisticsClip?: number;
  /** C: bound on the L2 norm of one silo's change of the parameters. */
  readonly clip: number;
  readonly weightVisibility: 'public' | 'coarse';
  /** In a job with noise: how fine the change of the parameters is, so that there is room for it. */
  readonly noisy?: Fineness | undefined;
}

/** What a layout follows from, for each kind of job. */
export type LayoutTerms =
  | TrainingTerms
  | { readonly kind: 'evaluate'; readonly recipe: Recipe; readonly contract: Contract }
  | {
      readonly kind: 'statistics';
      readonly contract: Contract;
      readonly plan?: StatisticsPlan | undefined;
      /** In a job with noise: how fine its sums are. Tables have no place in it. */
      readonly noisy?: Fineness | undefined;
    };

/** Throws JobError `job/overflow` when counts do not fit into the room, `job/bad-manifest` on impossible terms. */
export function deriveLayout(terms: LayoutTerms, room: Room): SumLayout {
  checkRoom(room);
  const segments = segmentsOf(terms, room);
  const coordinates = segments.reduce((sum, { length }) => sum + Number(length), 0);
  // A count above the room is cut there: how many were cut matters to people only up to "very many".
  const saturated = Math.min(coordinates, unitBudget(room));
  segments.push(countSegment(SEGMENT.saturated, 1, saturated, Visibility.VISIBILITY_PUBLIC, room));
  if (coordinates + 1 > LIMITS.vectorLengthMax)
    throw new JobError(
      'job/bad-manifest',
      `a vector has at most ${String(LIMITS.vectorLengthMax)} coordinates, this job would need ${String(coordinates + 1)}.`,
    );
  return { segments };
}

/** Layout of the round that follows the last one of a training job: metrics of the final model. Undefined without a hold-out part. */
export function deriveClosingLayout(job: Job, room: Room): SumLayout | undefined {
  if (job.kind !== 'train' || job.recipe.holdoutFraction === 0) return undefined;
  return deriveLayout({ kind: 'evaluate', recipe: job.recipe, contract: job.contract }, room);
}

function segmentsOf(terms: LayoutTerms, room: Room): Segment[] {
  switch (terms.kind) {
    case 'train':
      return [...trainingSegments(terms, room), ...metricSegments(terms.recipe, terms.contract, room)];
    case 'evaluate':
      return metricSegments(terms.recipe, terms.contract, room);
    case 'statistics':
      return terms.noisy === undefined
        ? statisticsSegments(terms.contract, terms.plan ?? NO_TABLES, room)
        : noisyStatisticsSegments(terms.contract, terms.noisy, room);
  }
}

/** Every change of the parameters differs from the last, so `delta` hides no repeated value and is marked public. */
function trainingSegments(terms: TrainingTerms, room: Room): Segment[] {
  const { recipe, contract, parameterCount, clip, weightVisibility, noisy } = terms;
  const { statisticCount = 0, statisticsClip = DEFAULT_STATISTICS_CLIP } = terms;
  const { method } = recipe;
  const weights = parameterCount - statisticCount;
  if (!isWhole(weights, 1, LIMITS.vectorLengthMax) || !isWhole(statisticCount, 0, LIMITS.vectorLengthMax))
    throw new JobError('job/bad-manifest', 'a model to train has at least one parameter.');
  if (!isPositive(clip)) throw new JobError('job/bad-manifest', 'the clip of delta is a finite number above 0.');
  if (!isPositive(statisticsClip))
    throw new JobError('job/bad-manifest', 'the clip of running-statistics is a finite number above 0.');
  if (noisy !== undefined && !isWhole(noisy.qMax, 1, unitBudget(room)))
    throw new JobError('job/bad-manifest', 'the clip of noised numbers does not fit the room of this job.');
  const visibility = noisy === undefined ? Visibility.VISIBILITY_PUBLIC : Visibility.VISIBILITY_NOISED;
  const real = (name: string, length: number, kind: 'l2' | 'each', bound: number): Segment =>
    realSegment(name, length, { kind, clip: bound }, Visibility.VISIBILITY_PUBLIC, room);
  return [
    realSegment(SEGMENT.delta, weights, { kind: 'l2', clip }, visibility, room, noisy),
    ...(statisticCount > 0 ? [real(SEGMENT.runningStatistics, statisticCount, 'each', statisticsClip)] : []),
    ...(method.kind === 'scaffold' ? [real(SEGMENT.control, weights, 'l2', method.controlClip)] : []),
    weightSegment(weightVisibility, room),
    real(SEGMENT.norm, 1, 'each', clip),
    ...(method.kind === 'fed-nova' ? [real(SEGMENT.reach, 1, 'each', reachBound(recipe, contract))] : []),
  ];
}

/**
 * Largest reach of one silo's local training at rate 1: its largest number of steps, each worth at most 1 / (1 - momentum). What a silo
 * sends under FedNova is divided by its own reach.
 */
export function reachBound({ localWork, batchSize, optimiser }: Recipe, { maxRows }: Contract): number {
  const steps = localWork.kind === 'steps' ? localWork.steps : localWork.epochs * Math.ceil(maxRows / batchSize);
  return optimiser.kind === 'sgd' ? steps / (1 - optimiser.momentum) : steps;
}

/**
 * 1 is qMax exactly, so that coarse weights, multiples of 1/64, are quantised without rounding. One step more than 64 must fit the
 * room, because rounding to steps counts as part of what a silo may contribute.
 */
function weightSegment(visibility: 'public' | 'coarse', room: Room): Segment {
  const step = Math.floor(unitBudget(room) / (COARSE_WEIGHT_STEPS + 1));
  if (step === 0) throw new JobError('job/overflow', 'the room of this job is too small for a weight in 64 steps.');
  const coarse = visibility === 'coarse';
  const segment = realSegment(
    SEGMENT.weight,
    1,
    { kind: 'each', clip: 1 },
    coarse ? Visibility.VISIBILITY_COARSE : Visibility.VISIBILITY_PUBLIC,
    room,
  );
  // `realSegment` has just made it a real one; the check is for the compiler.
  if (segment.quantiser?.$case === 'real') {
    const qMax = step * COARSE_WEIGHT_STEPS;
    segment.quantiser.value.qMax = BigInt(qMax);
    segment.quantiser.value.scale = qMax;
  }
  segment.coarseStep = coarse ? BigInt(step) : 0n;
  return segment;
}

/** What is summed over the whole hold-out part, then the same for each category of each slice, category by category. */
function metricSegments(recipe: Recipe, contract: Contract, room: Room): Segment[] {
  const { maxRows } = contract;
  const count = (name: string, length: number, most: number): Segment =>
    countSegment(name, length, most, Visibility.VISIBILITY_PUBLIC, room);
  const parts = holdoutParts({ recipe, contract });
  const segments = (nameOf: (part: string) => string, times: number): Segment[] =>
    parts.map(({ name, length, perRecord }) =>
      perRecord === 'count'
        ? count(nameOf(name), times * length, maxRows)
        : realSegment(
            nameOf(name),
            times * length,
            { kind: 'each', clip: maxRows * perRecord },
            Visibility.VISIBILITY_PUBLIC,
            room,
          ),
    );
  return [
    ...segments((part) => `holdout.${part}`, 1),
    ...sliceColumns(recipe, contract).flatMap(({ column, categories }) => [
      ...segments((part) => sliceName(column, part), categories.length),
      count(leftOutName(column), categories.length, 1),
    ]),
  ];
}

/** A statistics job has one round and one opening, so nothing in it repeats. */
function statisticsSegments(contract: Contract, plan: StatisticsPlan, room: Room): Segment[] {
  const { features, maxRows } = contract;
  const cells = tablesOf(plan, contract).reduce((sum, table) => sum + table.cells, 0);
  const pairs = pairsOf(plan, contract).length;
  const sums = (name: string, length = features.length): Segment =>
    realSegment(name, length, { kind: 'each', clip: maxRows }, Visibility.VISIBILITY_PUBLIC, room);
  return [
    countSegment(SEGMENT.rows, 1, maxRows, Visibility.VISIBILITY_PUBLIC, room),
    sums(SEGMENT.sum),
    sums(SEGMENT.sumOfSquares),
    ...(cells === 0
      ? []
      : [
          countSegment(SEGMENT.cells, cells, maxRows, Visibility.VISIBILITY_PUBLIC, room),
          countSegment(SEGMENT.cellsLeftOut, cells, 1, Visibility.VISIBILITY_PUBLIC, room),
        ]),
    ...(pairs === 0 ? [] : [sums(SEGMENT.products, pairs)]),
  ];
}

/** All at one scale, so that one noise does for all; the number of records is a real one, since it is noised with the others. */
function noisyStatisticsSegments({ features, maxRows }: Contract, noisy: Fineness, room: Room): Segment[] {
  if (!isWhole(noisy.qMax, 1, unitBudget(room)))
    throw new JobError('job/bad-manifest', 'the clip of noised numbers does not fit the room of this job.');
  const noised = (name: string, length: number): Segment =>
    realSegment(name, length, { kind: 'each', clip: maxRows }, Visibility.VISIBILITY_NOISED, room, {
      qMax: noisy.qMax,
      units: noisy.qMax,
    });
  return [noised(SEGMENT.rows, 1), noised(SEGMENT.sum, features.length), noised(SEGMENT.sumOfSquares, features.length)];
}

function checkRoom({ silos, modulusBits }: Room): void {
  const { modulusBitsMin, modulusBitsMax } = JOB_LIMITS;
  if (!isWhole(silos, LIMITS.cohortMin, LIMITS.cohortMax))
    throw new JobError(
      'job/bad-manifest',
      `a job names ${String(LIMITS.cohortMin)} to ${String(LIMITS.cohortMax)} silos, not ${String(silos)}.`,
    );
  if (!isWhole(modulusBits, modulusBitsMin, modulusBitsMax))
    throw new JobError(
      'job/bad-manifest',
      `modulus_bits is ${String(modulusBitsMin)} to ${String(modulusBitsMax)}, not ${String(modulusBits)}.`,
    );
}
