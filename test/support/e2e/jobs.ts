// The jobs of the end-to-end tests, as job files, and the manifests that follow from them.

import { buildManifest, firstModel, NO_MODEL_STATE, type ColumnStatistics } from '../../../src/job/index.js';
import type { FirstModel, StatisticsJobFile, TrainingJobFile } from '../../../src/job/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import type { JobManifest } from '../../../src/wire/index.js';
import { DATA_SET, RANGES } from './records.js';

/** Nobody is given up while a test starts a killed program again; every wait ends early when all have answered. */
export const TIMEOUTS = {
  advertiseMs: 60_000,
  shareMs: 60_000,
  maskMs: 60_000,
  confirmMs: 60_000,
  unmaskMs: 60_000,
  absentAfterMs: 20_000,
  graceMs: 20_000,
};

const common = (job: string, silos: readonly string[]) => ({
  job,
  description: 'an end-to-end test',
  silos,
  maxMalicious: 0,
  minCohort: silos.length,
  timeouts: TIMEOUTS,
});

const data = {
  dataSet: DATA_SET,
  features: RANGES,
  missing: 'refuse',
  minRows: 20,
  maxRows: 1_000,
} as const;

export function statisticsFile(
  job: string,
  silos: readonly string[],
  changes: Partial<StatisticsJobFile> = {},
): StatisticsJobFile {
  return { ...common(job, silos), kind: 'statistics', data, ...changes };
}

export function statisticsManifest(file: StatisticsJobFile, rosterHash: Uint8Array): JobManifest {
  return buildManifest(file, { rosterHash, initialModelHash: hash(LABELS.model, NO_MODEL_STATE) });
}

export function trainingFile(
  job: string,
  silos: readonly string[],
  changes: Partial<TrainingJobFile> = {},
): TrainingJobFile {
  return {
    ...common(job, silos),
    kind: 'train',
    data: { ...data, target: { kind: 'binary', column: 'sick' } },
    model: { file: 'model.onnx' },
    training: {
      loss: { kind: 'binary-cross-entropy', classWeights: [] },
      optimiser: { kind: 'sgd', learningRate: 0.2, momentum: 0.9 },
      batchSize: 8,
      localWork: { kind: 'epochs', epochs: 2 },
      clip: 4,
      weightRows: 60,
    },
    evaluation: { holdoutFraction: 0.25, histogramBins: 50 },
    rounds: 3,
    ...changes,
  };
}

export interface Source {
  readonly statistics: ColumnStatistics;
  readonly resultHash: Uint8Array;
}

export function trainingManifest(
  file: TrainingJobFile,
  rosterHash: Uint8Array,
  model: Uint8Array,
  source?: Source,
): { manifest: JobManifest; first: FirstModel } {
  const first = firstModel(model, source?.statistics, sha256, file.model);
  const manifest = buildManifest(file, {
    rosterHash,
    initialModelHash: hash(LABELS.model, first.state),
    model: {
      blob: { sha256: sha256(model), size: BigInt(model.length) },
      parameterCount: first.model.parameterCount,
      statisticCount: first.model.statisticCount,
    },
    statisticsResultHash: source?.resultHash,
  });
  return { manifest, first };
}
