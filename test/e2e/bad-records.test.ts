// What is wrong with one silo's records or one operator's answer costs that silo its part in the sum and nobody else anything. All jobs
// run side by side in one consortium of four, of whom three are enough.

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobState, type Envelope, type Job, type Round } from '../../src/wire/index.js';
import { Consortium, type LogLine } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest, TIMEOUTS } from '../support/e2e/jobs.js';
import { siloRecords } from '../support/e2e/journals.js';
import { COLUMNS, csvOf } from '../support/e2e/records.js';
import { wrongSums } from '../support/e2e/sums.js';

/** Far out of any range and unlike any other number: it must not be quoted. */
const OUTLIER = '98765.4321';
const WORD = 'unmeasurable';

interface BadTable {
  readonly row: number;
  readonly column: number;
  readonly cell: string;
  readonly code: string;
  readonly says: RegExp;
}

const BAD: Readonly<Record<string, BadTable>> = {
  'not-a-number': { row: 7, column: 2, cell: 'NaN', code: 'dataset/bad-values', says: /column chol: .* in row 7\.$/ },
  'out-of-range': {
    row: 11,
    column: 0,
    cell: OUTLIER,
    code: 'dataset/bad-values',
    says: /column age: .* in row 11\.$/,
  },
  empty: { row: 3, column: 1, cell: '', code: 'dataset/bad-values', says: /column pressure: .* in row 3\.$/ },
  text: { row: 5, column: 2, cell: WORD, code: 'dataset/wrong-type', says: /\bchol\b/ },
  'no-column': { row: 0, column: 1, cell: 'tension', code: 'dataset/missing-column', says: /\bpressure\b/ },
};

let consortium: Consortium;
let bad: string;
const jobs = new Map<string, { manifest: Envelope; job: Job; rounds: Round[] }>();

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 4 });
  bad = consortium.silos[1]!;
  const { founded, silos } = consortium;
  await consortium.start([]);
  const kinds = Object.keys(BAD);
  for (const silo of silos) {
    const own = `SELECT * FROM '${founded.at('records', `${silo}.csv`)}'`;
    const queries = Object.fromEntries(kinds.map((kind) => [kind, own]));
    if (silo !== bad) queries['elsewhere'] = own;
    else for (const kind of kinds) queries[kind] = await badTable(kind);
    // Other values than those above: of the same ones nobody would open a sum over other silos (§3, the input rule).
    queries['older'] = own.replace('*', 'age + 1 AS age, pressure + 1 AS pressure, chol + 1 AS chol');
    await consortium.configureAgent({ silo, queries });
    consortium.startAgent(silo);
  }
  const offered = new Map<string, Envelope>();
  const offer = async (job: string, dataSet: string, minCohort: number): Promise<Envelope> => {
    const file = statisticsFile(job, silos, { minCohort, timeouts: { ...TIMEOUTS, absentAfterMs: 2_000 } });
    const manifest = await consortium.offer(
      statisticsManifest({ ...file, data: { ...file.data, dataSet } }, founded.roster.hash),
    );
    offered.set(job, manifest);
    return manifest;
  };
  for (const kind of kinds) await consortium.approve(await offer(kind, kind, 4));
  const unfit = await offer('unfit', 'elsewhere', 3);
  // Nothing that lies in the folder of decisions by mistake may hide a decision.
  await writeFile(founded.at('state', bad, 'decisions', '00.decision'), 'not an envelope');
  await consortium.approve(unfit);
  for (const [job, minCohort] of [
    ['refused-by-one', 3],
    ['refused-by-one-of-all', 4],
  ] as const) {
    const manifest = await offer(job, 'older', minCohort);
    await consortium.approve(manifest, silos.slice(0, 3));
    await consortium.decide(silos[3]!, manifest, false);
  }
  for (const [jobId, manifest] of offered) {
    if (jobId === 'refused-by-one-of-all') continue;
    const job = await consortium.finished(jobId, 60_000);
    jobs.set(jobId, { manifest, job, rounds: await consortium.acknowledgedRounds(jobId) });
  }
}, 180_000);

afterAll(() => consortium.close());

async function badTable(kind: string): Promise<string> {
  const { row, column, cell } = BAD[kind]!;
  const table = [[...COLUMNS], ...consortium.founded.tables.get(bad)!.map((values) => [...values])] as (
    | string
    | number
  )[][];
  table[row]![column] = cell;
  const path = consortium.founded.at('records', `${bad}.${kind}.csv`);
  await writeFile(path, csvOf(table.slice(1), table[0] as string[]));
  return `SELECT * FROM '${path}'`;
}

describe('records that break the contract', () => {
  it.each(Object.entries(BAD))('leave their silo out of the sum of the others: %s', async (kind, { code, says }) => {
    const { manifest, job, rounds } = jobs.get(kind)!;
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    expect(rounds[0]!.cohort).toEqual(consortium.silos);
    expect(rounds[0]!.survivors).toEqual(consortium.silos.filter((silo) => silo !== bad));
    expect(rounds[0]!.acknowledgedBy).toEqual(consortium.silos);
    expect(await wrongSums(consortium, manifest)).toEqual([]);
    const said = consortium.log(bad).filter((line) => line['job'] === kind && line.code === code);
    expect(said.map(({ detail }) => detail)).toContainEqual(expect.stringMatching(says));
  });

  it('are quoted in no log', () => {
    for (const name of ['coordinator', ...consortium.silos]) {
      expect(consortium.logText(name).includes(OUTLIER)).toBe(false);
      expect(consortium.logText(name).includes(WORD)).toBe(false);
    }
  });
});

describe('a silo that a job does not fit', () => {
  it('is left out, says why once, and writes it down once', async () => {
    const { job, rounds } = jobs.get('unfit')!;
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    expect(job.approvedBy).not.toContain(bad);
    expect(rounds[0]!.cohort).toEqual(consortium.silos.filter((silo) => silo !== bad));
    await consortium.kill(bad);
    const refused = (await siloRecords(consortium.founded, bad)).filter(
      ({ event }) => event?.$case === 'jobPrepared' && event.value.jobId === 'unfit',
    );
    expect(refused).toHaveLength(1);
    const said = (lines: LogLine[]): LogLine[] => lines.filter(({ event }) => event === 'job.unfit');
    expect(said(consortium.log(bad)).map(({ code }) => code)).toContain('agent/no-data-set');
    // Once for each stream in which the job was offered again, and not without end.
    expect(said(consortium.log(bad)).length).toBeLessThan(10);
  });
});

describe('a silo whose operator refuses', () => {
  it('is named in the list of jobs, and the others go on without it where they may', async () => {
    const { job, rounds } = jobs.get('refused-by-one')!;
    const others = consortium.silos.slice(0, 3);
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    expect(rounds[0]!.survivors).toEqual(others);
    const listed = (await consortium.client.listJobs({ pageSize: 0, pageToken: '' })).jobs;
    for (const name of ['refused-by-one', 'refused-by-one-of-all']) {
      const one = listed.find(({ jobId }) => jobId === name)!;
      expect(one.refusedBy).toEqual([consortium.silos[3]]);
      expect(one.approvedBy).toEqual(others);
    }
  });

  it('keeps a job that needs everybody from ever beginning', async () => {
    const { job } = await consortium.client.getJob({ jobId: 'refused-by-one-of-all' });
    expect(job!.state).toBe(JobState.JOB_STATE_OFFERED);
    expect(await consortium.rounds('refused-by-one-of-all')).toEqual([]);
  });
});
