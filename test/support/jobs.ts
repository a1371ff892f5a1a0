// Small jobs with every field set, for tests to vary.

import {
  encodeContract,
  encodeRecipe,
  encodeUpdateRule,
  JobError,
  type Contract,
  type Recipe,
} from '../../src/job/index.js';
import { deriveLayout, type LayoutTerms } from '../../src/job/index.js';
import { JobKind, type JobManifest } from '../../src/wire/index.js';

export const recipe: Recipe = {
  loss: { kind: 'binary-cross-entropy', classWeights: [] },
  optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 },
  schedule: { kind: 'constant' },
  warmUpRounds: 0,
  maxGradientNorm: undefined,
  method: { kind: 'plain' },
  batchSize: 16,
  localWork: { kind: 'epochs', epochs: 2 },
  holdoutFraction: 0.2,
  histogramBins: 10,
  weightRows: 200,
  slices: [],
};

export const contract: Contract = {
  dataSet: 'heart',
  features: [
    { column: 'age', minimum: 0, maximum: 120, unit: 'years' },
    { column: 'chol', minimum: 0, maximum: 700, unit: 'mg/dl' },
  ],
  target: { kind: 'binary', column: 'sick' },
  missing: 'refuse',
  minRows: 20,
  maxRows: 10_000,
};

export const statisticsContract: Contract = { ...contract, target: undefined };

export const room = { silos: 5, modulusBits: 32 };

export const trainingTerms: LayoutTerms = {
  kind: 'train',
  recipe,
  contract,
  parameterCount: 7,
  clip: 2,
  weightVisibility: 'coarse',
};

export function trainingManifest(changes: Partial<JobManifest> = {}): JobManifest {
  return {
    version: 1,
    jobId: 'heart-1',
    rosterHash: new Uint8Array(32).fill(1),
    kind: JobKind.JOB_KIND_TRAIN,
    silos: ['a', 'b', 'c', 'd', 'e'],
    maxMalicious: 1,
    minCohort: 5,
    forwardModel: { sha256: new Uint8Array(32).fill(2), size: 1000n },
    initialModelHash: new Uint8Array(32).fill(3),
    recipe: encodeRecipe(recipe),
    updateRule: encodeUpdateRule({ kind: 'fed-avg', learningRate: 1 }),
    layout: deriveLayout(trainingTerms, room),
    modulusBits: 32,
    privacy: { epsilon: 0, delta: 0 },
    roundLimit: 10,
    dataContract: encodeContract(contract),
    graph: undefined,
    fullVerification: true,
    timeouts: undefined,
    rejectedRoundsLimit: 2,
    acceptance: { minWeight: 0.1, maxMeanNorm: 2.01 },
    standardiseBy: undefined,
    description: 'Predicts heart disease.',
    reopenedKeys: [],
    train: [],
    local: [],
    closingLayout: undefined,
    noise: undefined,
    unitNoise: undefined,
    ...changes,
  };
}

export function statisticsManifest(changes: Partial<JobManifest> = {}): JobManifest {
  return trainingManifest({
    kind: JobKind.JOB_KIND_STATISTICS,
    forwardModel: undefined,
    recipe: new Uint8Array(),
    updateRule: new Uint8Array(),
    roundLimit: 1,
    dataContract: encodeContract(statisticsContract),
    layout: deriveLayout({ kind: 'statistics', contract: statisticsContract }, room),
    acceptance: undefined,
    ...changes,
  });
}

/** Code and message of the JobError that `work` throws; `none` where it throws nothing. Others pass through. */
export function jobProblemOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof JobError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
}
