// What the hospital's own limits say to an offered job, each under the code with which the agent would refuse later.

import { describe, expect, it } from 'vitest';
import { refusalsOf } from '../../../silo-agent/refusals.js';
import { approvingRule } from '../../../silo-agent/policy.js';
import { NO_TABLES, type StatisticsJobFile, type StatisticsPlan, type UnitNoiseTerms } from '../../../src/job/index.js';
import { openManifest, type Manifest, type Unit } from '../../../src/protocol/index.js';
import type { JobManifest } from '../../../src/wire/index.js';
import { readAgentConfig } from '../../../src/config/index.js';
import { DATA_SET, RANGES } from '../../support/e2e/records.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../../support/e2e/jobs.js';
import { found, signManifest } from '../../support/memory/founding.js';
import { logisticRegression } from '../../support/onnx-models.js';

const { policy } = await readAgentConfig('docs/samples/agent.yaml');
const dataSets = { [DATA_SET]: { query: 'SELECT 1', directories: ['records'] } };
const founded = found(5);
const { roster } = founded;
const offered = (message: JobManifest): Manifest => openManifest(roster, signManifest(founded, message));
const statistics = (changes: Partial<StatisticsJobFile> = {}): Manifest =>
  offered(statisticsManifest(statisticsFile('sums', founded.silos, changes), roster.hash));
const training = (unitPrivacy: UnitNoiseTerms): Manifest => {
  const file = trainingFile('training', founded.silos);
  const made = trainingManifest(
    {
      ...file,
      training: { ...file.training, localWork: { kind: 'steps', steps: 5 }, unitPrivacy },
      evaluation: { holdoutFraction: 0 },
    },
    roster.hash,
    logisticRegression(RANGES.length),
  );
  return offered(made.manifest);
};
const mild = { ...policy, minCohort: 3, minHonest: 2, maxMalicious: 0, allowSmallCohort: true };

it('nothing stands against a job within them', () => {
  expect(refusalsOf({ policy: mild, dataSets }, statistics())).toEqual([]);
});

it('a data set that is not there, a cohort that is too small, and too few honest inputs are named', () => {
  expect(refusalsOf({ policy: mild, dataSets: {} }, statistics())).toEqual([
    expect.stringMatching(/^agent\/no-data-set: /),
  ]);
  expect(refusalsOf({ policy: { ...mild, minCohort: 6 }, dataSets }, statistics())).toEqual([
    expect.stringMatching(/^plan\/floor-cohort: it has 5 silos; .* ask for 6\.$/),
  ]);
  expect(refusalsOf({ policy: { ...mild, maxMalicious: 4 }, dataSets }, statistics())).toEqual([
    expect.stringMatching(/^plan\/floor-honest: /),
  ]);
});

describe('a budget', () => {
  const patients: UnitNoiseTerms = { unitColumn: 'patient_id', clip: 1, noise: 1.1, delta: 1e-5, minUnits: 20 };
  const records: UnitNoiseTerms = { clip: 1, noise: 1.1, delta: 1e-5 };
  const noisy = statistics({ privacy: { mechanism: 'discrete-gaussian', epsilon: 1, delta: 1e-5 } });
  const withBudget = (unit: Unit, withoutNoise: 'refuse' | 'allow' = 'refuse') => ({
    policy: { ...mild, privacy: { dataSets: { [DATA_SET]: { epsilon: 8, delta: 1e-5, unit, withoutNoise } } } },
    dataSets,
  });

  it.each<[Unit, string, Manifest]>([
    ['patient', 'DP-SGD for each patient', training(patients)],
    ['record', 'DP-SGD for each patient', training(patients)],
    ['record', 'DP-SGD for each record', training(records)],
    ['record', 'statistics with noise for each record', noisy],
  ])('for each %s has nothing against %s', (unit, _what, manifest) => {
    expect(refusalsOf(withBudget(unit), manifest)).toEqual([]);
  });

  it.each<[Unit, string, Manifest, string]>([
    ['silo', 'DP-SGD for each patient', training(patients), 'its noise protects each patient'],
    ['silo', 'DP-SGD for each record', training(records), 'its noise protects each record'],
    ['patient', 'DP-SGD for each record', training(records), 'its noise protects each record'],
    ['silo', 'statistics with noise for each record', noisy, 'its noise protects each record'],
    ['patient', 'statistics with noise for each record', noisy, 'its noise protects each record'],
    ['record', 'statistics without noise', statistics(), 'it adds no noise'],
  ])('for each %s stands against %s, unless it allows what adds no noise', (unit, _what, manifest, why) => {
    expect(refusalsOf(withBudget(unit), manifest)).toEqual([
      expect.stringMatching(new RegExp(`^plan/without-noise: ${why}.*"${DATA_SET}" has a budget`)),
    ]);
    expect(refusalsOf(withBudget(unit, 'allow'), manifest)).toEqual([]);
  });
});

it('a rule for statistics allows tables only where it says so', () => {
  const silos = ['a', 'b', 'c', 'd', 'e'];
  const file = statisticsFile('sums', silos);
  const { column } = file.data.features[0]!;
  const plan = { ...NO_TABLES, histograms: [{ column, bins: 10 }] };
  const manifest = (statistics: StatisticsPlan) => {
    const message = statisticsManifest({ ...file, statistics }, new Uint8Array(32));
    return { message } as unknown as Manifest;
  };
  const rule = { dataSet: DATA_SET, columns: 'all-declared' as const, minimumRows: 1 };
  const approved = (statistics: StatisticsPlan, tables?: boolean): boolean =>
    approvingRule({ ...mild, statistics: [{ ...rule, tables }] }, manifest(statistics)) !== undefined;
  expect([approved(NO_TABLES), approved(plan), approved(plan, true)]).toEqual([true, false, true]);
});
