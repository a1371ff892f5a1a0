// What a statistics job has summed, as an auditor reads it: round show and export, after everything that vouches for it was checked.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { buildManifest, NO_MODEL_STATE, statisticsSegments, type StatisticsJobFile } from '../../../src/job/index.js';
import { readLayout } from '../../../src/protocol/index.js';
import { quantise } from '../../../src/vector/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found } from '../../support/memory/founding.js';
import { roundingWords } from '../../support/sum-of-silos.js';
import { desk, type Desk } from './desk.js';

const SILOS = 4;

/** Each silo has ages 5, 15, … 95 of one woman each, and of six men each; one man of the oldest group died late. */
async function statisticsDesk(): Promise<Desk> {
  const { roster, silos } = found(SILOS);
  const file: StatisticsJobFile = {
    job: 'job-1',
    kind: 'statistics',
    description: 'Who is there.',
    silos,
    data: {
      dataSet: 'heart',
      features: [
        { column: 'age', minimum: 0, maximum: 100, unit: 'years' },
        { column: 'sex', minimum: 0, maximum: 1, unit: '', categories: ['f', 'm'] },
        { column: 'smokes', minimum: 0, maximum: 1, unit: '', categories: ['no', 'yes'] },
      ],
      target: { kind: 'survival', column: 'days', eventColumn: 'died', maximum: 100 },
      missing: 'drop-row',
      minRows: 1,
      maxRows: 1_000,
    },
    statistics: {
      histograms: [{ column: 'age', bins: 5 }],
      correlations: ['age', 'sex'],
      contingency: [{ rows: 'sex', columns: 'smokes' }],
      missingness: true,
      survival: { bins: 2, by: 'sex' },
    },
  };
  const facts = { rosterHash: roster.hash, initialModelHash: hash(LABELS.model, NO_MODEL_STATE) };
  const manifest = buildManifest(file, facts);
  const consortium = new MemoryConsortium(SILOS, { manifest });
  const { target, ...data } = file.data;
  const layout = readLayout(manifest.layout);
  const people = Array.from({ length: 70 }, (_, i) => [10 * (i % 10) + 5, i < 10 ? 0 : 1, i % 7 === 0 ? 1 : 0]);
  const rows = {
    rows: people.length,
    features: Float32Array.from(people.flat()),
    targets: Float32Array.from(people, (_, i) => (i % 5 === 0 ? 80 : -20)),
    droppedRows: 3,
    missing: [3, 0, 0],
  };
  consortium.silos.forEach((silo, i) => {
    // The last hospital alone leaves small counts out.
    const segments = statisticsSegments(rows, { ...data, target }, file.statistics, i === SILOS - 1 ? 5 : 0);
    silo.input = () => quantise(layout, segments, roundingWords(i + 1)).values;
  });
  consortium.run();
  return desk(consortium, { role: 'auditor', id: 'ada', key: null });
}

it('round show prints tables, and what was left out of them', async () => {
  const at = await statisticsDesk();
  const { out, code } = await at.run('round', 'show', 'job-1', '1');
  expect(code).toBe(0);
  expect(out).toContain('Statistics of 280 records in 4 hospitals');
  expect(out).toMatch(/age +years +50\.0/);
  expect(out).toMatch(/0 to 20 +56/);
  expect(out).toContain('for certain between 40 and 60');
  // One woman of the two who smoke or not: the last hospital leaves out 2 and, so that it does not follow from the rest, 8.
  expect(out).toMatch(/^sex by smokes, without 10 records/m);
  expect(out).toMatch(/f +24 \+1\? +6 \+1\?/);
  expect(out).toMatch(/age +9 \+1\?/);
  expect(out).toContain('It is not zero there');
  expect(out).toMatch(/Survival \(Kaplan-Meier\), m/);
});

it('export writes the same figures as JSON', async () => {
  const at = await statisticsDesk();
  const out = at.path('figures.json');
  const { code } = await at.run('export', 'job-1', '--out', out);
  expect(code).toBe(0);
  const figures = JSON.parse(await readFile(out, 'utf8')) as Record<string, unknown>;
  expect(figures).toMatchObject({
    job: 'job-1',
    records: 280,
    silos: 4,
    missing: { droppedRecords: { count: 9, leftOut: 1 } },
  });
  const shown = (await at.json('round', 'show', 'job-1', '1')) as Record<string, unknown>;
  const { job: _job, resultHash: _hash, ...rest } = figures;
  expect(shown['statistics']).toEqual(rest);
});
