// What the hospital's own limits say to an offered job, each under the code with which the agent would refuse later.

import { expect, it } from 'vitest';
import { refusalsOf } from '../../../silo-agent/refusals.js';
import { approvingRule } from '../../../silo-agent/policy.js';
import { NO_TABLES, type StatisticsPlan } from '../../../src/job/index.js';
import type { Manifest } from '../../../src/protocol/index.js';
import { readAgentConfig } from '../../../src/config/index.js';
import { DATA_SET } from '../../support/e2e/records.js';
import { statisticsFile, statisticsManifest } from '../../support/e2e/jobs.js';

const { policy } = await readAgentConfig('docs/samples/agent.yaml');
const dataSets = { [DATA_SET]: { query: 'SELECT 1', directories: ['records'] } };
const job = (silos: number) => ({
  message: statisticsManifest(
    statisticsFile('sums', ['a', 'b', 'c', 'd', 'e', 'f', 'g'].slice(0, silos)),
    new Uint8Array(32),
  ),
});
const mild = { ...policy, minCohort: 3, minHonest: 2, maxMalicious: 0, allowSmallCohort: true };

it('nothing stands against a job within them', () => {
  expect(refusalsOf({ policy: mild, dataSets }, job(5))).toEqual([]);
});

it('a data set that is not there, a cohort that is too small, and too few honest inputs are named', () => {
  expect(refusalsOf({ policy: mild, dataSets: {} }, job(5))).toEqual([expect.stringMatching(/^agent\/no-data-set: /)]);
  expect(refusalsOf({ policy: { ...mild, minCohort: 6 }, dataSets }, job(5))).toEqual([
    expect.stringMatching(/^plan\/floor-cohort: it has 5 silos; .* ask for 6\.$/),
  ]);
  expect(refusalsOf({ policy: { ...mild, maxMalicious: 4 }, dataSets }, job(5))).toEqual([
    expect.stringMatching(/^plan\/floor-honest: /),
  ]);
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
