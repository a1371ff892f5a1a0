// From a job file to a manifest: defaults, what follows from what, and every refusal.

import { describe, expect, it } from 'vitest';
import {
  buildManifest,
  checkLayout,
  cohortSizes,
  defaultMaxMalicious,
  JobError,
  parseJob,
  type JobFile,
  type ManifestFacts,
  type StatisticsJobFile,
  type TrainingJobFile,
} from '../../../src/job/index.js';
import { defaultMalicious, validCohortSizes } from '../../../src/protocol/params.js';
import { decode, encode, JobManifest } from '../../../src/wire/index.js';
import { contract, recipe } from '../../support/jobs.js';

const { target: _target, ...data } = contract;

const statistics: StatisticsJobFile = {
  kind: 'statistics',
  job: 'heart-statistics',
  description: 'Means and deviations.',
  silos: ['e', 'a', 'c', 'b', 'd'],
  data,
};

const training: TrainingJobFile = {
  kind: 'train',
  job: 'heart-1',
  description: 'Predicts heart disease.',
  silos: ['e', 'a', 'c', 'b', 'd'],
  data: { ...data, target: { kind: 'binary', column: 'sick' } },
  model: { file: 'heart.onnx' },
  training: {
    loss: { kind: 'binary-cross-entropy', classWeights: [] },
    optimiser: recipe.optimiser,
    batchSize: 16,
    localWork: recipe.localWork,
    clip: 2,
    weightRows: 200,
  },
  rounds: 10,
};

const VECTOR = { parameterCount: 7, statisticCount: 0 };

const statisticsFacts: ManifestFacts = {
  rosterHash: new Uint8Array(32).fill(1),
  initialModelHash: new Uint8Array(32).fill(2),
};
const facts: ManifestFacts = {
  ...statisticsFacts,
  model: { blob: { sha256: new Uint8Array(32).fill(3), size: 10n }, parameterCount: 7 },
};

const pathsOf = (file: JobFile, given: ManifestFacts = facts): string[] => {
  try {
    buildManifest(file, given);
  } catch (error) {
    if (error instanceof JobError) return error.problems.map(({ path }) => path);
    throw error;
  }
  return [];
};

describe('a manifest from a job file', () => {
  it('writes every default out', () => {
    expect(buildManifest(training, facts)).toMatchObject({
      version: 1,
      silos: ['a', 'b', 'c', 'd', 'e'],
      maxMalicious: 1,
      minCohort: 5,
      modulusBits: 25,
      privacy: { epsilon: 0, delta: 0 },
      roundLimit: 10,
      fullVerification: true,
      rejectedRoundsLimit: 2,
    });
  });

  it('has the bits that a job file says, or the fewest for training and all there are for statistics', () => {
    expect(buildManifest({ ...training, modulusBits: 30 }, facts).modulusBits).toBe(30);
    expect(buildManifest(statistics, statisticsFacts).modulusBits).toBe(32);
  });

  it('has the layout that a silo derives, a closing round included', () => {
    const manifest = buildManifest(training, facts);
    expect(checkLayout(manifest, VECTOR)).toEqual([]);
    expect(manifest.closingLayout?.segments[0]?.name).toBe('holdout.rows');
  });

  it('survives its bytes', () => {
    for (const manifest of [buildManifest(training, facts), buildManifest(statistics, statisticsFacts)])
      expect(decode(JobManifest, 'manifest', encode(JobManifest, manifest))).toEqual(manifest);
  });

  it('of statistics has no model, no recipe, one round and no acceptance rule', () => {
    const manifest = buildManifest(statistics, statisticsFacts);
    expect(manifest).toMatchObject({ roundLimit: 1, forwardModel: undefined, acceptance: undefined });
    expect(parseJob(manifest).kind).toBe('statistics');
    expect(manifest.closingLayout).toBeUndefined();
  });

  it('accepts a mean within the clip and its rounding, and no weight near zero', () => {
    const { acceptance } = buildManifest(training, facts);
    // Five silos with 20 rows, 16 of them trained on, of 200: half of 0.4.
    expect(acceptance?.minWeight).toBeCloseTo(0.2, 12);
    expect(acceptance?.maxMeanNorm).toBeGreaterThan(2);
    expect(acceptance?.maxMeanNorm).toBeLessThan(2.000_1);
  });

  it('names the statistics job that standardises the features', () => {
    const resultHash = new Uint8Array(32).fill(9);
    const file: TrainingJobFile = { ...training, model: { file: 'heart.onnx', standardiseBy: 'heart-statistics' } };
    expect(buildManifest(file, { ...facts, statisticsResultHash: resultHash }).standardiseBy).toEqual({
      jobId: 'heart-statistics',
      resultHash,
    });
    expect(pathsOf(file)).toEqual(['model.standardiseBy']);
    expect(pathsOf(training, { ...facts, statisticsResultHash: resultHash })).toEqual(['model.standardiseBy']);
  });

  it('of evaluation holds metrics only', () => {
    const { training: _training, rounds: _rounds, ...rest } = training;
    const file: JobFile = {
      ...rest,
      kind: 'evaluate',
      evaluation: { loss: { kind: 'binary-cross-entropy', classWeights: [] }, histogramBins: 20 },
    };
    const manifest = buildManifest(file, facts);
    expect(checkLayout(manifest, undefined)).toEqual([]);
    expect(manifest.layout?.segments.map(({ name }) => name)).not.toContain('delta');
  });

  it('keeps a default timeout where the file names others', () => {
    expect(buildManifest({ ...training, timeouts: { maskMs: 5, graceMs: undefined } }, facts).timeouts).toMatchObject({
      maskMs: 5,
      graceMs: 2_000,
    });
  });

  it.each<[string, Partial<TrainingJobFile>, string]>([
    ['a job id with capitals', { job: 'Heart' }, 'job'],
    ['no description', { description: '' }, 'description'],
    ['a silo named twice', { silos: ['a', 'a', 'b', 'c', 'd'] }, 'silos'],
    ['a silo id with a slash', { silos: ['a/b', 'b', 'c', 'd', 'e'] }, 'silos'],
    ['two silos', { silos: ['a', 'b'] }, 'silos'],
    ['no rounds', { rounds: 0 }, 'rounds'],
    ['more malicious silos than any cohort bears', { maxMalicious: 2 }, 'maxMalicious'],
    ['a cohort larger than the job', { minCohort: 6 }, 'minCohort'],
    ['a timeout of 0', { timeouts: { shareMs: 0 } }, 'timeouts.shareMs'],
    ['a minimum weight of 0', { minWeight: 0 }, 'minWeight'],
    ['a clip of 0', { training: { ...training.training, clip: 0 } }, 'training.clip'],
    [
      'a loss that needs another target',
      { training: { ...training.training, loss: { kind: 'squared-error' } } },
      'data_contract.target',
    ],
  ])('refuses %s', (_what, change, path) => {
    expect(pathsOf({ ...training, ...change })).toContain(path);
  });

  it('refuses a training job without a model and a statistics job with one', () => {
    expect(pathsOf(training, statisticsFacts)).toContain('model');
    expect(pathsOf(statistics, facts)).toEqual(['model']);
  });
});

describe('cohort sizes', () => {
  it('are those that the protocol accepts, for every n and c', () => {
    for (let silos = 3; silos <= 200; silos++) {
      expect(defaultMaxMalicious(silos)).toBe(defaultMalicious(silos));
      for (const c of [0, 1, 2, defaultMaxMalicious(silos), silos]) {
        const bounds = { minCohort: 4, minHonest: 3 };
        expect(cohortSizes({ silos, maxMalicious: c, ...bounds }).map((size) => size.silos)).toEqual(
          validCohortSizes(silos, { c, ...bounds }),
        );
      }
    }
  });

  it('of four hospitals of which one may be malicious is four, with two honest inputs', () => {
    expect(cohortSizes({ silos: 4, maxMalicious: 1, minCohort: 3, minHonest: 2 })).toEqual([
      { silos: 4, mayBeAbsent: 1, honestInputs: 2 },
    ]);
  });
});
