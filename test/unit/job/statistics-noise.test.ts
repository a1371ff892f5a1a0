// Noise on statistics: from a job file to sums that carry it, what a silo checks, and what is read from them.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { JOBS } from '../../../src/compute/jobs.js';
import { sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  checkLayout,
  checkPrivacy,
  explainManifest,
  readStatistics,
  statisticsSegments,
  type StatisticsJobFile,
} from '../../../src/job/index.js';
import { NO_TABLES } from '../../../src/job/statistics-plan.js';
import { recordSensitivity } from '../../../src/job/statistics-noise.js';
import { epsilonOfRho, gaussianRho } from '../../../src/privacy/index.js';
import {
  mechanismFor,
  mechanismOf,
  readLayout,
  siloVariance,
  unitOf,
  type Manifest,
} from '../../../src/protocol/index.js';
import { readNoise } from '../../../src/protocol/noise.js';
import { l2Norm, largestContribution } from '../../../src/vector/index.js';
import type { JobManifest } from '../../../src/wire/index.js';
import { jobProblemOf, contract, statisticsContract } from '../../support/jobs.js';

const { target: _target, ...data } = contract;
const SILOS = ['a', 'b', 'c', 'd', 'e'];
const DELTA = 1e-4;
const file: StatisticsJobFile = {
  kind: 'statistics',
  job: 'heart-statistics',
  description: 'Means and deviations.',
  silos: SILOS,
  data: { ...data, maxRows: 10_000 },
  privacy: { mechanism: 'discrete-gaussian', epsilon: 1, delta: DELTA },
};
const facts = { rosterHash: new Uint8Array(32).fill(1), initialModelHash: new Uint8Array(32).fill(2) };
const manifest = buildManifest(file, facts);
const noise = readNoise(manifest)!;
const layout = readLayout(manifest.layout, noise);
const { features } = contract;
const scale = layout.segments[0]!.quantiser.kind === 'real' ? layout.segments[0]!.quantiser.scale : 0;

/** Rows of values at these parts of each feature's range. */
function rowsAt(parts: readonly (readonly number[])[]): { rows: number; features: Float32Array } {
  const values = parts.flatMap((row) =>
    row.map((part, i) => features[i]!.minimum + part * (features[i]!.maximum - features[i]!.minimum)),
  );
  return { rows: parts.length, features: Float32Array.from(values) };
}

function inputOf(silo: string, rows: ReturnType<typeof rowsAt>, quiet = false): Int32Array {
  const out = new Int32Array(layout.length);
  JOBS.quantise({
    layout,
    segments: statisticsSegments(rows, statisticsContract, undefined, 0, true),
    rounding: sha256(utf8(`rounding ${silo}`)),
    noise: {
      mechanism: 'discrete-gaussian',
      variance: quiet ? 1 : siloVariance(noise, 5, 1),
      tail: noise.tail,
      key: sha256(utf8(`noise ${silo}`)),
    },
    out,
  });
  return out;
}

/** 1,000 rows whose values have the mean 0.4 and the deviation 0.2 of each range. */
const plainRows = rowsAt(
  Array.from({ length: 1000 }, (_, k) => features.map((_one, i) => 0.4 + 0.2 * ((k + i) % 2 === 0 ? 1 : -1))),
);

describe('a statistics job with noise', () => {
  it('promises for one record what its noise gives, which silos compute again', () => {
    const { epsilon, delta } = manifest.privacy!;
    expect(delta).toBe(DELTA);
    expect(epsilon).toBeLessThanOrEqual(1);
    expect(epsilon).toBeGreaterThan(0.99);
    // Zero-concentrated: rho of a Gaussian of the same ratio.
    const rho = gaussianRho(manifest.noise!.recordSensitivity, Math.sqrt(manifest.noise!.variance));
    expect(epsilonOfRho(rho, DELTA)).toBeCloseTo(epsilon, 2);
    expect(checkLayout(manifest, undefined)).toEqual([]);
    checkPrivacy(manifest);
    const skellam = buildManifest({ ...file, privacy: { ...file.privacy!, mechanism: 'skellam' } }, facts);
    checkPrivacy(skellam);
    expect(skellam.privacy!.epsilon).toBeLessThanOrEqual(1);
  });

  it('is charged to the ledger with a record as the unit, and bounds no patient and no silo', () => {
    const opened = {
      noise,
      unitNoise: undefined,
      layout,
      message: manifest,
      ...cohort(manifest),
    } as unknown as Manifest;
    expect(unitOf(opened)).toBe('record');
    const mechanism = mechanismOf(opened, 1)!;
    expect(mechanism).toMatchObject({
      kind: 'discrete-gaussian',
      l2: manifest.noise!.recordSensitivity,
      contributors: 3,
    });
    expect(mechanismFor('patient', 'record', mechanism)).toBeUndefined();
    expect(mechanismFor('silo', 'record', mechanism)).toBeUndefined();
  });

  it('tells those who approve it', () => {
    const context = { manifestHash: new Uint8Array(32), policy: { minCohort: 5, minHonest: 2, maxMalicious: 1 } };
    const text = explainManifest(manifest, context)
      .flatMap(({ lines }) => lines)
      .join('\n');
    expect(text).toContain('The unit is one record. In zero-concentrated terms: rho ');
    expect(text).toContain('what 3 other honest hospitals surely add is enough');
  });

  it.each<[string, Partial<JobManifest>, string]>([
    ['a smaller epsilon', { privacy: { epsilon: 0.5, delta: DELTA } }, 'privacy.epsilon'],
    [
      'a smaller change by one record',
      { noise: { ...manifest.noise!, recordSensitivity: manifest.noise!.recordSensitivity * 0.9 } },
      'noise.record_sensitivity',
    ],
    ['less noise', { noise: { ...manifest.noise!, variance: manifest.noise!.variance / 2 } }, 'privacy.epsilon'],
  ])('is refused by a silo when it claims %s', (_what, changes, path) => {
    expect(
      jobProblemOf(() => {
        checkPrivacy({ ...manifest, ...changes });
      }),
    ).toContain(path);
  });

  it('has no place for tables, nor for a scale of its own in one of its sums', () => {
    const tables = { ...file, statistics: { ...NO_TABLES, missingness: true } };
    expect(jobProblemOf(() => buildManifest(tables, facts))).toContain('means and standard deviations');
    const finer = structuredClone(manifest);
    const second = finer.layout!.segments[1]!.quantiser!;
    if (second.$case === 'real') second.value.scale *= 2;
    expect(
      jobProblemOf(() => {
        checkPrivacy(finer);
      }),
    ).toContain('at one scale');
    expect(checkLayout(finer, undefined)).not.toEqual([]);
  });
});

describe('the sums of a statistics job with noise', () => {
  it('change by no more than the sensitivity when one record is left out, whichever it is', () => {
    // By the same rounding bits and noise. Corners of the ranges change most.
    const bound = recordSensitivity(statisticsContract, scale);
    const base = Array.from({ length: 40 }, (_, k) => features.map((_one, i) => ((k * 7 + i) % 11) / 10));
    let most = 0;
    for (const record of [
      features.map(() => 0),
      features.map(() => 1),
      features.map((_one, i) => (i % 2) * 1),
      features.map(() => 0.5),
    ]) {
      const [one, other] = [inputOf('a', rowsAt([...base, record]), true), inputOf('a', rowsAt(base), true)];
      const change = l2Norm(one.map((value, i) => value - other[i]!));
      expect(change).toBeLessThanOrEqual(bound);
      most = Math.max(most, change);
    }
    expect(most).toBeGreaterThan(0.95 * bound);
  });

  it('give means, deviations and the number of records up to the noise that was accounted for', () => {
    const opened = new Int32Array(layout.length);
    for (const silo of SILOS) inputOf(silo, plainRows).forEach((value, i) => (opened[i] = opened[i]! + value));
    const {
      rows,
      mean,
      standardDeviation,
      noise: stated,
    } = readStatistics({ layout, values: opened }, statisticsContract, 5);
    // Of five shares of mu / 3, in records.
    const sigma = Math.sqrt((noise.variance * 5) / 3) / scale;
    expect(stated).toBeGreaterThanOrEqual(sigma);
    expect(stated).toBeLessThan(1.01 * sigma + 1);
    expect(Math.abs(rows - 5000)).toBeLessThan(5 * sigma);
    expect(rows).not.toBe(5000);
    features.forEach(({ minimum, maximum }, i) => {
      const width = maximum - minimum;
      expect(Math.abs((mean[i]! - minimum) / width - 0.4)).toBeLessThan((6 * sigma) / 5000);
      expect(Math.abs((standardDeviation[i]! / width) ** 2 - 0.04)).toBeLessThan((8 * sigma) / 5000);
    });
  });

  it('are read without noise as they are: exact to rounding', () => {
    const opened = new Int32Array(layout.length);
    for (const silo of SILOS) inputOf(silo, plainRows, true).forEach((value, i) => (opened[i] = opened[i]! + value));
    const { rows, mean } = readStatistics({ layout, values: opened }, statisticsContract, 5);
    expect(rows).toBe(5000);
    expect((mean[0]! - features[0]!.minimum) / (features[0]!.maximum - features[0]!.minimum)).toBeCloseTo(0.4, 3);
  });

  it('take a deviation that noise could have made for none, and say nothing where no records are left', () => {
    const constant = rowsAt(Array.from({ length: 1000 }, () => features.map(() => 0.5)));
    const opened = new Int32Array(layout.length);
    for (const silo of SILOS) inputOf(silo, constant).forEach((value, i) => (opened[i] = opened[i]! + value));
    const { standardDeviation } = readStatistics({ layout, values: opened }, statisticsContract, 5);
    expect([...standardDeviation]).toEqual(features.map(() => 0));
    expect(
      jobProblemOf(() => readStatistics({ layout, values: new Int32Array(layout.length) }, statisticsContract, 5)),
    ).toContain('job/bad-sum');
  });

  it('fit the modulus with the noise of all', () => {
    for (const segment of layout.segments)
      expect(5 * largestContribution(segment)).toBeLessThan(2 ** (manifest.modulusBits - 1));
  });
});

function cohort({ silos, maxMalicious, minCohort }: JobManifest): object {
  return { silos, maxMalicious, minCohort, roundLimit: 1, closingLayout: undefined };
}
