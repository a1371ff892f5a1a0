// What readers type: jobs, rounds, round, watch. Tables for people, JSON for scripts.

import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import type { MemoryConsortium } from '../../support/memory/consortium.js';
import { MemoryConsortium as Consortium } from '../../support/memory/consortium.js';
import { abandoned, completed, running } from '../admin/states.js';
import { desk, type Desk } from './desk.js';

const AUDITOR = { role: 'auditor', id: 'ada', key: null } as const;

function auditor(consortium: MemoryConsortium): Promise<Desk> {
  return desk(consortium, AUDITOR);
}

describe('jobs', () => {
  it('prints a table, and the same as JSON', async () => {
    const at = await auditor(completed().consortium);
    const { code, out } = await at.run('jobs');
    const [header, row] = out.split('\n');
    expect(code).toBe(0);
    expect(header).toMatch(/^JOB {2,}KIND {2,}STATE {2,}ROUNDS {2,}APPROVED {2,}CREATED {2,}REASON$/);
    expect(row).toMatch(/^job-1 +train +completed +3\/3 +4\/4 +1970-01-01T00:16:40\.000Z +the last round is done$/);
    const { job } = at.consortium;
    expect(await at.json('jobs')).toEqual({
      jobs: [
        {
          job: 'job-1',
          manifestHash: hex(job.manifest.hash),
          kind: 'train',
          state: 'completed',
          reason: 'the last round is done',
          silos: [...job.manifest.silos],
          approvedBy: [...job.manifest.silos],
          refusedBy: [],
          roundsDone: 3,
          roundLimit: 3,
          modelHash: hex(job.modelHash),
          created: '1970-01-01T00:16:40.000Z',
          lastResultHash: hex(job.closed[2]!.terminalHash),
          barred: [],
          openRound: null,
        },
      ],
    });
  });

  it('reads every page of the list', async () => {
    const pages: string[] = [];
    const at = await desk(completed().consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        listJobs: async (caller, request) => {
          pages.push(request.pageToken);
          const { jobs } = await honest.listJobs(caller, { pageSize: 0, pageToken: '', states: [], fields: [] });
          return { jobs, nextPageToken: pages.length < 3 ? `page ${pages.length}` : '' };
        },
      }),
    });
    expect(await at.json('jobs')).toMatchObject({ jobs: [{}, {}, {}] });
    expect(pages).toEqual(['', 'page 1', 'page 2']);
  });
});

describe('rounds', () => {
  it('prints one line a round', async () => {
    const at = await auditor(running().consortium);
    const { out } = await at.run('rounds', 'job-1');
    const [header, first, second] = out.split('\n');
    expect(header).toMatch(/^ROUND +PHASE +ATTEMPT +IN SUM +ACKS +LOSS +ACCURACY +AUC +AGREEMENT +TIME +OUTCOME$/);
    expect(first).toMatch(/^1 +done +1 +4\/4 +4 +- +- +- +- +\S+.* applied$/);
    expect(second).toMatch(/^2 +mask +1 +-\/4 +0 +- +- +- +- +- +-$/);
    expect(await at.json('rounds', 'job-1')).toMatchObject({
      job: 'job-1',
      rounds: [
        { round: 1, phase: 'done', outcome: 'applied' },
        { round: 2, phase: 'mask', outcome: null, ended: null, resultHash: null },
      ],
    });
  });

  it('shows the metrics that the sums held', async () => {
    const { consortium } = completed();
    const job = consortium.job;
    const metrics = [
      { name: 'loss', value: 0.51239 },
      { name: 'auc', value: 0.875 },
      { name: 'records', value: 212 },
    ];
    const closed = job.closed.map((round) => ({ ...round, metrics }));
    consortium.coordinator = {
      ...consortium.coordinator,
      jobs: new Map([[job.manifest.jobId, { ...job, closed }]]),
    };
    const at = await auditor(consortium);
    expect((await at.run('rounds', 'job-1')).out).toMatch(/^1 .* 0\.5124 +- +0\.8750 /m);
    expect(await at.json('round', 'job-1', '1')).toMatchObject({
      metrics: { loss: 0.51239, auc: 0.875, records: 212 },
    });
    expect((await at.run('round', 'job-1', '1')).out).toMatch(/^ {2}records +212$/m);
  });
});

describe('round', () => {
  it('tells an abandoned round with its attempts and reasons', async () => {
    const at = await auditor(abandoned().consortium);
    const { code, out } = await at.run('round', 'job-1', '1');
    expect(code).toBe(0);
    expect(out).toContain('outcome     abandoned');
    expect(out).toMatch(/^3 +mask +1970-01-01T/m);
    expect(out).toContain('attempt 3 ended in mask');
    expect(await at.json('round', 'job-1', '1')).toMatchObject({ phase: 'abandoned', attempt: 3, survivors: [] });
  });

  it('tells who is in the sum and who has acknowledged it', async () => {
    const at = await auditor(completed().consortium);
    const { out } = await at.run('round', 'job-1', '2');
    expect(out).toMatch(/^silo-003 +yes +publish +acknowledged +yes$/m);
    expect(out).toContain(`result hash     ${hex(at.consortium.job.closed[1]!.terminalHash)}`);
  });

  it('refuses an answer about another round', async () => {
    const at = await desk(completed().consortium, {
      ...AUDITOR,
      admin: (honest) => ({ getRound: (caller) => honest.getRound(caller, { jobId: 'job-1', round: 1, fields: [] }) }),
    });
    const { code, err } = await at.run('round', 'job-1', '2');
    expect([code, err]).toEqual([4, expect.stringContaining('audit/bad-answer: asked for round 2 of job "job-1"')]);
  });
});

describe('watch', () => {
  it('prints a line for everything there is, and ends with the job', async () => {
    const at = await auditor(completed().consortium);
    const { code, out } = await at.run('watch', 'job-1');
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines[0]).toBe('job job-1: completed, 4 of 4 silos approved, 3 of 3 rounds, the last round is done');
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual([
      'round 1: done',
      'round 2: done',
      'round 3: done',
    ]);
  });

  it('with --json prints one object a line', async () => {
    const at = await auditor(completed().consortium);
    const { out } = await at.run('watch', 'job-1', '--json');
    const objects = out.split('\n').map((line): unknown => JSON.parse(line));
    expect(objects).toMatchObject([
      { job: { state: 'completed' } },
      { round: { round: 1 } },
      { round: { round: 2 } },
      { round: { round: 3 } },
    ]);
  });

  it('goes on after a break without saying anything twice', async () => {
    const { consortium } = running();
    let calls = 0;
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        watchRounds: async function* (caller, request, signal) {
          calls += 1;
          let given = 0;
          for await (const update of honest.watchRounds(caller, request, signal)) {
            yield update;
            given += 1;
            // The coordinator restarts after three answers, and the round goes on meanwhile.
            if (calls === 1 && given === 3) {
              consortium.hooks = {};
              consortium.run();
              return;
            }
          }
        },
      }),
    });
    const { code, out } = await at.run('watch', 'job-1');
    expect(code).toBe(0);
    expect(calls).toBe(2);
    const lines = out.split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      'job job-1: running',
      'round 1: done',
      'round 2: mask',
      'job job-1: completed',
      'round 2: done',
      'round 3: done',
    ]);
    expect(lines[2]).toBe('round 2: mask, attempt 1, 3 of 4 silos have answered');
  });
});

describe('what a coordinator sends', () => {
  it('cannot move the cursor of a terminal', async () => {
    const { consortium } = abandoned();
    const job = consortium.job;
    const [round] = job.closed;
    const notes = ['\u001b[2J\u202eall is well\nround 1 applied\u0000'];
    const closed = [{ ...round!, notes }];
    consortium.coordinator = {
      ...consortium.coordinator,
      jobs: new Map([[job.manifest.jobId, { ...job, closed }]]),
    };
    const at = await auditor(consortium);
    const { out } = await at.run('round', 'job-1', '1');
    expect(out).toContain('   [2J all is well round 1 applied ');
    const { out: json } = await at.run('round', 'job-1', '1', '--json');
    // The one control character of the output is its line feed.
    expect(json).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(json)).toMatchObject({ notes });
  });
});

describe('a job that is not there', () => {
  it.each([
    ['rounds', 'job-2'],
    ['round', 'job-2', '1'],
    ['watch', 'job-2'],
    ['export', 'job-2', '--out', '/nowhere/model.onnx'],
  ])('is refused by %s', async (...args) => {
    const at = await auditor(new Consortium(4));
    const { code, out, err } = await at.run(...args);
    expect([code, out]).toEqual([4, '']);
    expect(err).toContain('admin/no-job: there is no job "job-2".');
    expect(err).toContain('veilsum-audit jobs');
  });
});
