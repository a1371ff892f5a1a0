// DP-SGD in a job: from the file to a manifest, what a silo computes for itself, and what it refuses.

import { describe, expect, it } from 'vitest';
import {
  buildManifest,
  checkOwnUnits,
  checkPrivacy,
  epsilonOfUnits,
  explainManifest,
  parseJob,
  type ManifestFacts,
  type TrainingJobFile,
  type UnitNoiseTerms,
} from '../../../src/job/index.js';
import { accountRun, sampledGaussianRdp, epsilonOf, ORDERS } from '../../../src/privacy/index.js';
import { mechanismFor, mechanismOf, readLayout, type Manifest } from '../../../src/protocol/index.js';
import type { JobManifest } from '../../../src/wire/index.js';
import { jobProblemOf, contract, recipe } from '../../support/jobs.js';

const { target: _target, ...data } = contract;
const terms: UnitNoiseTerms = { clip: 1, noise: 1.1, delta: 1e-5 };

function fileWith(unitPrivacy: UnitNoiseTerms, training: Partial<TrainingJobFile['training']> = {}): TrainingJobFile {
  return {
    kind: 'train',
    job: 'heart-1',
    description: 'Predicts heart disease.',
    silos: ['a', 'b', 'c', 'd', 'e'],
    data: { ...data, minRows: 400, maxRows: 10_000, target: { kind: 'binary', column: 'sick' } },
    model: { file: 'heart.onnx' },
    training: {
      loss: recipe.loss,
      optimiser: recipe.optimiser,
      batchSize: 16,
      localWork: { kind: 'steps', steps: 25 },
      clip: 2,
      weightRows: 1000,
      unitPrivacy,
      ...training,
    },
    evaluation: { holdoutFraction: 0 },
    rounds: 10,
  };
}

const facts: ManifestFacts = {
  rosterHash: new Uint8Array(32).fill(1),
  initialModelHash: new Uint8Array(32).fill(2),
  model: { blob: { sha256: new Uint8Array(32).fill(3), size: 10n }, parameterCount: 2000 },
};
const manifest = buildManifest(fileWith(terms), facts);

describe('a job whose silos train by DP-SGD', () => {
  it('states what all steps cost in the smallest silo', () => {
    expect(manifest.unitNoise).toEqual({ unitColumn: '', clip: 1, noise: 1.1, batch: 16, minUnits: 400n, steps: 25 });
    const run = { sampling: 16 / 400, noise: 1.1, steps: 250 };
    const whole = ORDERS.filter((order) => Number.isInteger(order));
    const expected = epsilonOf((order) => 250 * sampledGaussianRdp(run, order), 1e-5 * (1 - 1e-6), whole);
    expect(manifest.privacy).toEqual({ epsilon: expected.epsilon, delta: 1e-5 });
    const { rdp, pld } = accountRun({ ...run, delta: 1e-5 });
    expect(expected.epsilon).toBeGreaterThanOrEqual(rdp.epsilon);
    expect(expected.epsilon).toBeLessThan(rdp.epsilon * 1.02);
    expect(pld.epsilon).toBeLessThan(expected.epsilon);
    checkPrivacy(manifest);
  });

  it('finds the noise of an epsilon, and stays within it', () => {
    const { unitNoise, privacy } = buildManifest(fileWith({ clip: 1, epsilon: 3, delta: 1e-5 }), facts);
    expect(privacy!.epsilon).toBeLessThanOrEqual(3);
    expect(privacy!.epsilon).toBeGreaterThan(2.99);
    const less = { sampling: 16 / 400, noise: unitNoise!.noise - 2e-4, steps: 250 };
    expect(epsilonOfUnits(less, 1e-5).epsilon).toBeGreaterThan(3);
  });

  it('tells those who approve it, in plain words', () => {
    const context = { manifestHash: new Uint8Array(32), policy: { minCohort: 5, minHonest: 2, maxMalicious: 1 } };
    const words = (one: JobManifest) =>
      explainManifest(one, context)
        .flatMap(({ lines }) => lines)
        .join('\n');
    expect(words(manifest)).toContain(`cost epsilon ${manifest.privacy!.epsilon.toPrecision(4)} at delta 0.00001`);
    expect(words(manifest)).toContain('The unit is one record.');
    expect(words(manifest)).toContain('cuts each gradient to the length 1 and adds noise of 1.1 times that');
    const patients = words(buildManifest(fileWith({ ...terms, unitColumn: 'patient_id', minUnits: 300 }), facts));
    expect(patients).toContain('The unit is one patient (all records with the same patient_id).');
    expect(patients).toContain('This holds from 300 patients on');
    expect(patients).toContain('patient_id: only to tell which records are of one patient');
  });

  it('carries the column of the patient in its data contract', () => {
    const one = buildManifest(fileWith({ ...terms, unitColumn: 'patient_id', minUnits: 300 }), facts);
    expect(parseJob(one).contract.unitColumn).toBe('patient_id');
    expect(parseJob(manifest).contract.unitColumn).toBeUndefined();
    checkPrivacy(one);
    expect(
      jobProblemOf(() => buildManifest(fileWith({ ...terms, unitColumn: data.features[0]!.column }), facts)),
    ).toContain('unit_column');
  });

  it('is charged to the ledger as steps on samples, for its unit and for no larger one', () => {
    const layout = readLayout(manifest.layout);
    const unitNoise = { unit: 'record', noise: 1.1, sampling: 0.04, steps: 25 } as const;
    const one = { message: manifest, layout, roundLimit: 10, noise: undefined, unitNoise } as unknown as Manifest;
    const mechanism = mechanismOf(one, 3)!;
    expect(mechanism).toEqual({ kind: 'sampled-gaussian', sampling: 0.04, noise: 1.1, steps: 25 });
    expect(mechanismFor('record', 'record', mechanism)).toEqual(mechanism);
    expect(mechanismFor('patient', 'record', mechanism)).toBeUndefined();
    expect(mechanismFor('silo', 'record', mechanism)).toBeUndefined();
    expect(mechanismFor('silo', 'patient', mechanism)).toBeUndefined();
    expect(mechanismFor('record', 'patient', mechanism)).toMatchObject({ sampling: 1, noise: 0.55 });
    const sum = { kind: 'skellam', variance: 1e6, l2: 1000, dimensions: 10, contributors: 3 } as const;
    expect(mechanismFor('record', 'silo', sum)).toMatchObject({ l2: 2000 });
  });
});

describe('a silo that computes for itself', () => {
  it.each<[string, Partial<JobManifest>, string]>([
    ['a smaller epsilon', { privacy: { epsilon: 1, delta: 1e-5 } }, 'privacy.epsilon'],
    ['more rounds', { roundLimit: 11 }, 'privacy.epsilon'],
    ['less noise', { unitNoise: { ...manifest.unitNoise!, noise: 1 } }, 'privacy.epsilon'],
    ['smaller silos', { unitNoise: { ...manifest.unitNoise!, minUnits: 300n } }, 'privacy.epsilon'],
    ['another batch', { unitNoise: { ...manifest.unitNoise!, batch: 8 } }, 'unit_noise.batch'],
    ['fewer steps', { unitNoise: { ...manifest.unitNoise!, steps: 24 } }, 'unit_noise.steps'],
    ['another unit', { unitNoise: { ...manifest.unitNoise!, unitColumn: 'ward' } }, 'unit_noise.unit_column'],
  ])('refuses a manifest with %s than follows', (_what, changes, path) => {
    expect(
      jobProblemOf(() => {
        checkPrivacy({ ...manifest, ...changes });
      }),
    ).toContain(path);
  });

  it('takes no part with fewer units than epsilon was computed for, and does with more', () => {
    expect(
      jobProblemOf(() => {
        checkOwnUnits(manifest, 399);
      }),
    ).toContain('this silo has 399 records');
    checkOwnUnits(manifest, 400);
    checkOwnUnits(manifest, 5000);
    const patients = buildManifest(fileWith({ ...terms, unitColumn: 'patient_id', minUnits: 300 }), facts);
    expect(
      jobProblemOf(() => {
        checkOwnUnits(patients, 299);
      }),
    ).toContain('299 different values of patient_id');
  });
});

describe('a job file that asks for what cannot be kept', () => {
  const refused = (changes: Partial<UnitNoiseTerms>, training: Partial<TrainingJobFile['training']> = {}) =>
    jobProblemOf(() => buildManifest(fileWith({ ...terms, ...changes }, training), facts));

  it('is refused by field', () => {
    expect(refused({ clip: 0 })).toContain('training.privacy.clip');
    expect(refused({ epsilon: 2 })).toContain('either noise, in clips, or epsilon');
    expect(refused({ noise: undefined })).toContain('either noise, in clips, or epsilon');
    expect(refused({ delta: 0 })).toContain('training.privacy.delta');
    expect(refused({ minUnits: 401 })).toContain('training.privacy.minUnits');
    expect(refused({}, { localWork: { kind: 'epochs', epochs: 1 } })).toContain('training.steps');
    expect(refused({}, { method: { kind: 'fed-nova' } })).toContain('training.method');
    expect(refused({}, { loss: { kind: 'cox' } })).toContain('training.loss');
    expect(
      jobProblemOf(() => buildManifest({ ...fileWith(terms), evaluation: { holdoutFraction: 0.2 } }, facts)),
    ).toContain('evaluation.holdoutFraction');
  });

  it('is refused with batch normalisation, and GroupNorm is named', () => {
    const model = { ...facts.model!, statisticCount: 8 };
    expect(jobProblemOf(() => buildManifest(fileWith(terms), { ...facts, model }))).toContain('GroupNorm');
  });
});
