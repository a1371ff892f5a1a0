// From a verified sum to outcome and new model (docs/protocol.md §2.6): the same bytes on every machine, computed by every silo, by the
// coordinator and by the auditor. Float64, fixed order, no transcendental whose bits differ between engines.

import { hash, LABELS } from '../crypto/index.js';
import { applyUpdate, rescale } from '../model/index.js';
import { l2Norm, largestSum, segmentNamed, type Layout } from '../vector/index.js';
import type { JobManifest, Metric } from '../wire/index.js';
import { JobError } from './errors.js';
import { parseJob, type Job } from './job.js';
import { SEGMENT } from './layout.js';
import { readMetrics, type PartMetrics, type SliceMetrics } from './metrics.js';
import { sliceColumns } from './slices.js';
import { advanceStopping, readStopping, writeStopping } from './early-stopping.js';
import { advanceMemory, ruleMemory, stoppingMemory } from './memory.js';
import { decodeModelState, encodeModelState } from './model-state.js';
import { requiredValue, requiredValues, type OpenedSum } from './opened.js';
import { rotatedBack, rotationKey } from './rotation.js';
import { readStatistics } from './statistics.js';
import { statisticCount, withStatistics } from './vector-parts.js';

export interface RoundToJudge {
  readonly manifest: JobManifest;
  /** Layout of this round. */
  readonly layout: Layout;
  /** True for the round that only measures the final model. */
  readonly closing: boolean;
  /** The opened sum, signed, in layout order. */
  readonly opened: Int32Array;
  /** |U3|. */
  readonly survivors: number;
  /** State the round started from, as encodeModelState wrote it; empty for statistics. */
  readonly state: Uint8Array;
}

export interface Judgement {
  readonly outcome: 'applied' | 'rejected';
  /** Why it was rejected. */
  readonly reason: string | undefined;
  /** The state after the round: a new one only when an update was applied. */
  readonly state: Uint8Array;
  readonly metrics: readonly Metric[];
  /** The job's own rule says that this was its last round. */
  readonly endsJob: boolean;
}

/** Throws JobError `job/bad-manifest` and `job/bad-state` when manifest or state are not what they must be. */
export function judgeRound(round: RoundToJudge): Judgement {
  const job = parseJob(round.manifest);
  const sum: OpenedSum = { layout: round.layout, values: round.opened };
  try {
    demandRange(round);
    const metrics = metricsOf(job, sum, round.survivors);
    if (job.kind !== 'train' || round.closing)
      return { outcome: 'applied', reason: undefined, state: round.state, metrics, endsJob: false };
    const { state, drift, endsJob } = updated(job, sum, round, metrics);
    return { outcome: 'applied', reason: undefined, state, metrics: [...metrics, ...drift], endsJob };
  } catch (error) {
    if (!(error instanceof JobError) || error.code !== 'job/bad-sum') throw error;
    return { outcome: 'rejected', reason: error.message, state: round.state, metrics: [], endsJob: false };
  }
}

/** Every coordinate within |U3| times the most that one silo may contribute. */
function demandRange({ layout, opened, survivors }: RoundToJudge): void {
  if (opened.length !== layout.length)
    throw new JobError(
      'job/bad-sum',
      `a sum of ${String(opened.length)} coordinates, expected ${String(layout.length)}.`,
    );
  for (const segment of layout.segments) {
    const most = largestSum(segment, survivors);
    const least = segment.quantiser.kind === 'integer' ? 0 : -most;
    const values = opened.subarray(segment.offset, segment.offset + segment.length);
    if (!withinRange(values, least, most))
      throw new JobError(
        'job/bad-sum',
        `a coordinate of segment ${segment.name} is outside what ${String(survivors)} silos can contribute.`,
      );
  }
}

function withinRange(values: Int32Array, least: number, most: number): boolean {
  // i is below the length.
  for (let i = 0; i < values.length; i++)
    if ((values[i] as number) < least || (values[i] as number) > most) return false;
  return true;
}

type TrainJob = Extract<Job, { kind: 'train' }>;

function updated(
  job: TrainJob,
  sum: OpenedSum,
  round: RoundToJudge,
  metrics: readonly Metric[],
): { state: Uint8Array; drift: Metric[]; endsJob: boolean } {
  const { acceptance } = round.manifest;
  const weight = requiredValue(sum, SEGMENT.weight);
  const least = acceptance?.minWeight ?? 0;
  // A silo weighs at most 1; rounding adds less than a unit of the weight's scale each, which demandRange has bounded already.
  if (!(weight > 0) || weight < least)
    throw new JobError('job/bad-sum', `the total weight is ${String(weight)}, at least ${String(least)} is required.`);
  const most = acceptance?.maxMeanNorm ?? 0;
  const meanOf = (name: string): Float64Array => dividedBy(turnedBack(sum, name, round), weight);
  const { method } = job.recipe;
  const mean =
    method.kind === 'fed-nova'
      ? rescale(meanOf(SEGMENT.delta), Math.max(0, requiredValue(sum, SEGMENT.reach)) / weight, most)
      : meanOf(SEGMENT.delta);
  const norm = l2Norm(mean);
  if (!(norm <= most))
    throw new JobError(
      'job/bad-sum',
      `the mean update has the norm ${String(norm)}, at most ${String(most)} is allowed.`,
    );
  const before = decodeModelState(round.state);
  const memory = ruleMemory(job, before, mean.length);
  const statistics = statisticCount(sum.layout) === 0 ? new Float64Array() : meanOf(SEGMENT.runningStatistics);
  if (mean.length + statistics.length !== before.parameters.length)
    throw new JobError('job/bad-state', 'the layout does not have the length of the model.');
  const after = applyUpdate(job.update, before.parameters.subarray(0, mean.length), memory, mean);
  const parameters = withStatistics(after.parameters, before.parameters, statistics);
  const control =
    method.kind === 'scaffold' ? boundedControl(meanOf(SEGMENT.control), method.controlClip, sum, most) : undefined;
  const share = round.survivors / round.manifest.silos.length;
  const stopping = stoppedBy(job, stoppingMemory(job, before, mean.length), metrics);
  const updateState = advanceMemory(job, before, after.state, control, share, stopping.memory);
  const state = encodeModelState({ modelSha256: before.modelSha256, parameters, updateState });
  const drift = driftOf(norm, Math.max(0, requiredValue(sum, SEGMENT.norm)) / weight);
  return { state, drift, endsJob: stopping.endsJob };
}

/** The sum of a segment as the silos' values were before they were rotated. */
function turnedBack(sum: OpenedSum, name: string, { manifest, state }: RoundToJudge): Float64Array {
  const values = requiredValues(sum, name);
  if (segmentNamed(sum.layout, name)?.roundedNorm === undefined) return values;
  return rotatedBack(values, rotationKey(manifest.jobId, hash(LABELS.model, state)));
}

/** In place. */
function dividedBy(values: Float64Array, divisor: number): Float64Array {
  // i is below the length.
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / divisor;
  return values;
}

function stoppedBy(
  { recipe: { earlyStopping } }: TrainJob,
  memory: Uint8Array,
  metrics: readonly Metric[],
): { readonly memory: Uint8Array; readonly endsJob: boolean } {
  if (earlyStopping === undefined) return { memory: new Uint8Array(), endsJob: false };
  const next = advanceStopping(earlyStopping, readStopping(earlyStopping, memory), metrics);
  return { memory: writeStopping(next.memory), endsJob: next.endsJob };
}

/** The same allowance for rounding as `max_mean_norm` has over the clip of `delta`. */
function boundedControl(mean: Float64Array, clip: number, { layout }: OpenedSum, most: number): Float64Array {
  const delta = segmentNamed(layout, SEGMENT.delta)?.quantiser;
  const bound = delta?.kind === 'real' ? (most / delta.clip) * clip : 0;
  const norm = l2Norm(mean);
  if (!(norm <= bound))
    throw new JobError(
      'job/bad-sum',
      `the mean change of the control variates has the norm ${String(norm)}, at most ${String(bound)} is allowed.`,
    );
  return mean;
}

/**
 * Norm of the mean update against the weighted mean of the silos' own norms: 1 when all silos pull one way, about 1 / sqrt(n) when
 * their directions have nothing in common.
 */
function driftOf(norm: number, meanNorm: number): Metric[] {
  return [
    { name: 'update-norm', value: norm },
    { name: 'silo-update-norm', value: meanNorm },
    ...(meanNorm > 0 ? [{ name: 'update-agreement', value: Math.min(1, norm / meanNorm) }] : []),
  ];
}

function metricsOf(job: Job, sum: OpenedSum, survivors: number): Metric[] {
  if (job.kind === 'statistics') {
    const { rows } = readStatistics(sum, job.contract, survivors);
    return [{ name: 'records', value: rows }];
  }
  const read = readMetrics(sum, sliceColumns(job.recipe, job.contract));
  return [
    ...partMetrics(read),
    { name: 'saturated', value: read.saturated },
    ...read.slices.flatMap((slice) => [
      ...partMetrics(slice).map(({ name, value }) => ({ name: nameInSlice(name, slice), value })),
      { name: nameInSlice('silos-left-out', slice), value: slice.leftOutBy },
    ]),
  ];
}

/** Such as `auc [sex = female]`. */
function nameInSlice(name: string, { column, category }: SliceMetrics): string {
  return `${name} [${column} = ${category}]`;
}

function partMetrics(read: PartMetrics): Metric[] {
  const metrics: Metric[] = [{ name: 'records', value: read.records }];
  const add = (name: string, value: number | undefined): void => {
    if (value !== undefined) metrics.push({ name, value });
  };
  add('loss', read.loss);
  add('accuracy', read.accuracy);
  add('auc', read.auc?.auc);
  add('auc-error-bound', read.auc?.errorBound);
  add('average-precision', read.averagePrecision?.value);
  add('average-precision-error-bound', read.averagePrecision?.errorBound);
  add('brier', read.calibration?.brier);
  add('brier-error-bound', read.calibration?.brierErrorBound);
  add('calibration-error', read.calibration?.expectedError);
  add('calibration-error-bound', read.calibration?.expectedErrorBound);
  add('true-positives', read.confusion?.truePositives);
  add('false-positives', read.confusion?.falsePositives);
  add('true-negatives', read.confusion?.trueNegatives);
  add('false-negatives', read.confusion?.falseNegatives);
  add('mae', read.regression?.meanAbsoluteError);
  add('rmse', read.regression?.rootMeanSquaredError);
  add('r2', read.regression?.r2);
  add('c-index', read.concordance?.value);
  add('c-index-error-bound', read.concordance?.errorBound);
  return metrics;
}
