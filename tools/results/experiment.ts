// What every experiment shares: a manifest made as the operator's tool makes it, training alone, and scores.

import { sha256 } from '../../src/crypto/index.js';
import {
  buildManifest,
  firstModel,
  type FirstModel,
  type JobFileTraining,
  type OptimiserSetting,
} from '../../src/job/index.js';
import { aucFromHistograms } from '../../src/model/index.js';
import type { EvaluationResult, Table, Trainer } from '../../src/trainer/index.js';
import type { JobManifest } from '../../src/wire/index.js';
import { seedBytes } from './random.js';

export interface Setting {
  readonly job: string;
  readonly model: FirstModel;
  /** Features of a record. */
  readonly columns: number;
  readonly silos: readonly string[];
  readonly largest: number;
  readonly rounds: number;
  /** Records of the smallest silo; 1 unless given. */
  readonly smallest?: number;
  readonly training: Omit<JobFileTraining, 'weightRows' | 'loss'>;
}

/** Throws JobError when the job would be refused. */
export function manifestOf({
  job,
  model,
  columns,
  silos,
  largest,
  smallest = 1,
  rounds,
  training,
}: Setting): JobManifest {
  const file = {
    kind: 'train',
    job,
    description: 'An experiment of npm run results.',
    silos,
    maxMalicious: 1,
    minCohort: silos.length,
    data: {
      dataSet: 'experiment',
      features: Array.from({ length: columns }, (_, i) => ({
        column: `x${String(i)}`,
        minimum: -100,
        maximum: 100,
        unit: '',
      })),
      target: { kind: 'binary', column: 'y' },
      missing: 'refuse',
      minRows: smallest,
      maxRows: 10_000,
    },
    model: { file: 'model.onnx' },
    training: { ...training, loss: { kind: 'binary-cross-entropy', classWeights: [] }, weightRows: largest },
    evaluation: { holdoutFraction: 0 },
    rounds,
  } as const;
  return buildManifest(file, {
    rosterHash: new Uint8Array(32),
    initialModelHash: new Uint8Array(32),
    model: {
      blob: { sha256: sha256(model.onnx), size: BigInt(model.onnx.length) },
      parameterCount: model.model.parameterCount,
      statisticCount: model.model.statisticCount,
    },
  });
}

export function prepareModel(onnx: Uint8Array): FirstModel {
  return firstModel(onnx, undefined, sha256);
}

export const NO_ROWS = (columns: number): Table => ({
  rows: 0,
  columns,
  features: new Float32Array(),
  targets: new Float32Array(),
});

export interface AloneTerms {
  readonly optimiser: OptimiserSetting;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
}

/** One table, one model, no federation. */
export async function trainAlone(
  trainer: Trainer,
  parameters: Float32Array,
  table: Table,
  { optimiser: { learningRate, ...optimiser }, batchSize, epochs, seed }: AloneTerms,
): Promise<Float32Array> {
  const duration = { kind: 'epochs', epochs } as const;
  const recipe = { batchSize, duration, optimiser, learningRate };
  const trained = await trainer.train({ parameters, table, recipe, seed: seedBytes('alone', seed) });
  return trained.parameters;
}

/** All rows of several tables. */
export function pool(tables: readonly Table[]): Table {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const columns = tables[0]?.columns ?? 0;
  const features = new Float32Array(rows * columns);
  const targets = new Float32Array(rows);
  let at = 0;
  for (const table of tables) {
    features.set(table.features, at * columns);
    targets.set(table.targets, at);
    at += table.rows;
  }
  return { rows, columns, features, targets };
}

export interface Score {
  readonly accuracy: number;
  readonly auc: number;
}

/** Bins of the score histograms: an AUC is off by less than what falls into one of ten thousand. */
const BINS = 10_000;

export async function scoreOn(trainer: Trainer, parameters: Float32Array, table: Table): Promise<Score> {
  const measured: EvaluationResult = await trainer.evaluate({ parameters, table, batchSize: 64, bins: BINS });
  return {
    accuracy: measured.correct / measured.count,
    auc: aucFromHistograms(measured.positives, measured.negatives)?.auc ?? Number.NaN,
  };
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation over the seeds (n - 1); 0 for one seed. */
  readonly deviation: number;
  readonly values: readonly number[];
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, values };
}
