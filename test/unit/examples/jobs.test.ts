// The example jobs against the example data: contracts hold, and the statistics that come out of quantised sums are the table's own.

import { describe, expect, it } from 'vitest';
import { readJobFile } from '../../../src/config/index.js';
import { countedRows, readDataSet } from '../../../src/dataset/index.js';
import {
  buildManifest,
  parseJob,
  readStatistics,
  statisticsSegments,
  type JobFile,
  type ManifestFacts,
} from '../../../src/job/index.js';
import { readForwardModel } from '../../../src/model/index.js';
import { readFileSync } from 'node:fs';
import { HEART_HEADER, HEART_TARGET } from '../../../tools/demo/heart.js';
import { readCsv } from '../../../tools/demo/csv.js';
import { splitRecords, writeSplit } from '../../../tools/demo/split.js';
import { sumOf } from '../../support/sum-of-silos.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { vectorLayout } from '../../support/vector-layout.js';

const hash = new Uint8Array(32).fill(1);

function factsOf(file: JobFile): ManifestFacts {
  if (file.kind === 'statistics') return { rosterHash: hash, initialModelHash: hash };
  const { parameters } = readForwardModel(readFileSync(file.model.file));
  const parameterCount = parameters.reduce((sum, { length }) => sum + length, 0);
  return {
    rosterHash: hash,
    initialModelHash: hash,
    model: { blob: { sha256: hash, size: 1n }, parameterCount },
    statisticsResultHash: hash,
  };
}

const JOBS = ['wdbc-statistics', 'wdbc-train', 'heart-statistics', 'heart-train'];

describe('the example jobs', () => {
  it.each(JOBS)('%s becomes a manifest', async (name) => {
    const file = await readJobFile(`examples/jobs/${name}.yaml`);
    expect(file.job).toBe(name);
    const manifest = buildManifest(file, factsOf(file));
    expect(parseJob(manifest).kind).toBe(file.kind);
    expect([manifest.minCohort, manifest.maxMalicious]).toEqual([file.silos.length, 1]);
  });

  it.each(['wdbc', 'heart'])('of %s standardise the features that they train on', async (name) => {
    const [statistics, training] = await Promise.all(
      ['statistics', 'train'].map((kind) => readJobFile(`examples/jobs/${name}-${kind}.yaml`)),
    );
    expect(statistics!.data).toEqual({ ...training!.data, target: undefined });
    expect(training!.kind === 'train' && training!.model.standardiseBy).toBe(statistics!.job);
  });

  it('of heart name the columns that the preparation writes', async () => {
    const file = await readJobFile('examples/jobs/heart-train.yaml');
    expect([...file.data.features.map(({ column }) => column), HEART_TARGET]).toEqual(HEART_HEADER);
  });

  it('of wdbc give, through five hospitals, the means and deviations of the whole table', async () => {
    const file = await readJobFile('examples/jobs/wdbc-statistics.yaml');
    const manifest = buildManifest(file, factsOf(file));
    const { contract } = parseJob(manifest);
    const layout = vectorLayout(manifest.layout!);
    const folder = temporaryFolder();
    const wdbc = await readCsv('examples/data/wdbc.csv');
    const paths = await writeSplit(
      folder,
      splitRecords(wdbc, { silos: 5, seed: 7, target: 'malignant', testFraction: 0 }),
    );
    const parts = [];
    for (const silo of file.silos) {
      const query = `SELECT * FROM '${paths.get(silo)!}'`;
      const records = await readDataSet({ name: 'wdbc', query, directories: [folder] }, contract);
      parts.push(statisticsSegments(countedRows(records), contract));
    }
    const { rows, mean, standardDeviation } = readStatistics({ layout, values: sumOf(layout, parts) }, contract, 5);
    expect(rows).toBe(569);
    contract.features.forEach(({ column, minimum, maximum }, i) => {
      const values = wdbc.rows.map((row) => Number(row[wdbc.header.indexOf(column)]));
      const centre = values.reduce((a, b) => a + b, 0) / 569;
      const deviation = Math.sqrt(values.reduce((a, x) => a + (x - centre) ** 2, 0) / 569);
      expect(Math.abs(mean[i]! - centre) / (maximum - minimum)).toBeLessThan(1e-6);
      expect(Math.abs(standardDeviation[i]! / deviation - 1)).toBeLessThan(1e-4);
    });
  });
});
