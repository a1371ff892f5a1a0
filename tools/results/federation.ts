// A federation in one process: every silo learns, quantises, and is judged by the very functions that the agents call; between them the
// integer vectors are added modulo 2^32, which is what the masked sum opens to. No masks are drawn here: they cancel exactly, and
// test/e2e runs whole rounds with them.

import { learn } from '../../silo-agent/learn.js';
import { privateTerms } from '../../silo-agent/private-terms.js';
import {
  decodeModelState,
  encodeModelState,
  judgeRound,
  parseJob,
  SEGMENT,
  type Job,
  type LocalPart,
  type ModelState,
} from '../../src/job/index.js';
import { applyUpdate } from '../../src/model/index.js';
import { readLayout } from '../../src/protocol/index.js';
import type { Table, Trainer } from '../../src/trainer/index.js';
import { quantise, type Layout, type SegmentValues } from '../../src/vector/index.js';
import type { JobManifest, Metric } from '../../src/wire/index.js';
import { seedBytes, seededWords } from './random.js';
import { sumErrorOf, type SumError } from './sum-error.js';

export interface Federation {
  readonly manifest: JobManifest;
  /** State that round 1 starts from. */
  readonly start: Uint8Array;
  readonly silos: readonly FederatedSilo[];
  readonly trainer: Pick<Trainer, 'train' | 'evaluate'>;
  readonly seed: number;
  /** Parameters that every silo trains for itself. */
  readonly local?: LocalPart | undefined;
  /** `float`: the control experiment, a mean in float64 without quantising; for plain FedAvg only. */
  readonly sum: 'integer' | 'float';
}

export interface FederatedSilo {
  readonly train: Table;
  /** Records kept apart; a table of no rows where none are. */
  readonly holdout: Table;
}

export interface RoundReport {
  readonly round: number;
  readonly state: ModelState;
  readonly metrics: readonly Metric[];
  /** Against the float64 sum of the same inputs; undefined where sums are float64. */
  readonly sumError?: SumError | undefined;
}

/** Yields after each round. Throws when a sum is rejected: then the settings are wrong, and no figure would mean anything. */
export async function* federate(federation: Federation): AsyncGenerator<RoundReport> {
  const { manifest, silos, trainer, seed } = federation;
  const job = trainingJob(manifest);
  const layout = readLayout(manifest.layout);
  const kept: (Float64Array | undefined)[] = silos.map(() => undefined);
  let state = federation.start;
  for (let round = 1; round <= manifest.roundLimit; round++) {
    const parts: SegmentValues[][] = [];
    for (const [index, { train, holdout }] of silos.entries()) {
      const learned = await learn(trainer, {
        job,
        layout,
        round,
        rounds: manifest.roundLimit,
        closing: false,
        state: decodeModelState(state),
        train,
        holdout,
        seed: seedBytes('order', seed, round, index),
        privacy: privateTerms(
          manifest.unitNoise,
          train,
          seedBytes('sampling', seed, round, index),
          seedBytes('noise', seed, round, index),
        ),
        own: kept[index],
        local: federation.local,
      });
      kept[index] = learned.own;
      parts.push(learned.segments);
    }
    const { next, metrics, sumError } =
      federation.sum === 'float'
        ? { next: floatRound(job, state, parts), metrics: [], sumError: undefined }
        : integerRound(federation, layout, state, parts, round);
    state = next;
    yield { round, state: decodeModelState(state), metrics, sumError };
  }
}

function trainingJob(manifest: JobManifest): Extract<Job, { kind: 'train' }> {
  const job = parseJob(manifest);
  if (job.kind !== 'train') throw new Error('only a training job has rounds to run');
  return job;
}

function integerRound(
  { manifest, silos, seed }: Federation,
  layout: Layout,
  state: Uint8Array,
  parts: readonly SegmentValues[][],
  round: number,
): { next: Uint8Array; metrics: readonly Metric[]; sumError: SumError } {
  const opened = new Int32Array(layout.length);
  for (const [index, segments] of parts.entries()) {
    const { values } = quantise(layout, segments, seededWords(seedBytes('rounding', seed, round, index)));
    // Int32Array wraps modulo 2^32, as masked words do; the layout leaves room for all silos, so nothing is lost.
    values.forEach((value, k) => (opened[k] = (opened[k] ?? 0) + value));
  }
  const judged = judgeRound({ manifest, layout, closing: false, opened, survivors: silos.length, state });
  if (judged.outcome !== 'applied') throw new Error(`round ${String(round)} was rejected: ${judged.reason ?? ''}`);
  return { next: judged.state, metrics: judged.metrics, sumError: sumErrorOf(layout, parts, opened) };
}

/** The same weighted mean of the same changes, in float64 from beginning to end. */
function floatRound(
  job: Extract<Job, { kind: 'train' }>,
  bytes: Uint8Array,
  parts: readonly SegmentValues[][],
): Uint8Array {
  if (job.recipe.method.kind !== 'plain' && job.recipe.method.kind !== 'fed-prox')
    throw new Error('the float control knows a plain mean only');
  const state = decodeModelState(bytes);
  const mean = new Float64Array(state.parameters.length);
  let weight = 0;
  for (const segments of parts) {
    for (const { name, values } of segments) {
      if (name === SEGMENT.runningStatistics) throw new Error('the float control knows no running statistics');
      if (name === SEGMENT.delta) values.forEach((value, k) => (mean[k] = (mean[k] ?? 0) + value));
      if (name === SEGMENT.weight) weight += values[0] ?? 0;
    }
  }
  const after = applyUpdate(
    job.update,
    state.parameters,
    state.updateState,
    mean.map((value) => value / weight),
  );
  return encodeModelState({ ...state, parameters: after.parameters, updateState: after.state });
}
