// From a verified sum to outcome and new model (docs/protocol.md §2.6): the same bytes on every machine, computed by every silo, by the
// coordinator and by the auditor. Float64, fixed order, no transcendental whose bits differ between engines.

import { applyUpdate } from '../model/index.js';
import { l2Norm, largestContribution, type Layout } from '../vector/index.js';
import type { JobManifest, Metric } from '../wire/index.js';
import { JobError } from './errors.js';
import { parseJob, type Job } from './job.js';
import { SEGMENT } from './layout.js';
import { readMetrics } from './metrics.js';
import { decodeModelState, encodeModelState } from './model-state.js';
import { requiredValue, requiredValues, type OpenedSum } from './opened.js';
import { readStatistics } from './statistics.js';

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
}

/** Throws JobError `job/bad-manifest` and `job/bad-state` when manifest or state are not what they must be. */
export function judgeRound(round: RoundToJudge): Judgement {
  const job = parseJob(round.manifest);
  const sum: OpenedSum = { layout: round.layout, values: round.opened };
  try {
    demandRange(round);
    const metrics = metricsOf(job, sum, round.survivors);
    const trains = job.kind === 'train' && !round.closing;
    const state = trains ? updated(job, sum, round) : round.state;
    return { outcome: 'applied', reason: undefined, state, metrics };
  } catch (error) {
    if (!(error instanceof JobError) || error.code !== 'job/bad-sum') throw error;
    return { outcome: 'rejected', reason: error.message, state: round.state, metrics: [] };
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
    const most = survivors * largestContribution(segment);
    const least = segment.quantiser.kind === 'integer' ? 0 : -most;
    const values = opened.subarray(segment.offset, segment.offset + segment.length);
    if (values.some((value) => value < least || value > most))
      throw new JobError(
        'job/bad-sum',
        `a coordinate of segment ${segment.name} is outside what ${String(survivors)} silos can contribute.`,
      );
  }
}

function updated(job: Extract<Job, { kind: 'train' }>, sum: OpenedSum, round: RoundToJudge): Uint8Array {
  const { acceptance } = round.manifest;
  const weight = requiredValue(sum, SEGMENT.weight);
  const least = acceptance?.minWeight ?? 0;
  // A silo weighs at most 1; rounding adds less than a unit of the weight's scale each, which demandRange has bounded already.
  if (!(weight > 0) || weight < least)
    throw new JobError('job/bad-sum', `the total weight is ${String(weight)}, at least ${String(least)} is required.`);
  const total = requiredValues(sum, SEGMENT.delta);
  const mean = total.map((value) => value / weight);
  const norm = l2Norm(mean);
  const most = acceptance?.maxMeanNorm ?? 0;
  if (!(norm <= most))
    throw new JobError(
      'job/bad-sum',
      `the mean update has the norm ${String(norm)}, at most ${String(most)} is allowed.`,
    );
  const before = decodeModelState(round.state);
  const rule = { kind: 'fed-avg', learningRate: job.update.serverLearningRate } as const;
  const after = applyUpdate(rule, before.parameters, before.updateState, mean);
  return encodeModelState({ modelSha256: before.modelSha256, parameters: after.parameters, updateState: after.state });
}

function metricsOf(job: Job, sum: OpenedSum, survivors: number): Metric[] {
  if (job.kind === 'statistics') {
    const { rows } = readStatistics(sum, job.contract, survivors);
    return [{ name: 'records', value: rows }];
  }
  const read = readMetrics(sum);
  const metrics: Metric[] = [{ name: 'records', value: read.records }];
  const add = (name: string, value: number | undefined): void => {
    if (value !== undefined) metrics.push({ name, value });
  };
  add('loss', read.loss);
  add('accuracy', read.accuracy);
  add('auc', read.auc?.auc);
  add('auc-error-bound', read.auc?.errorBound);
  add('saturated', read.saturated);
  return metrics;
}
