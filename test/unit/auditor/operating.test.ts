// What operators type: orders about jobs, rounds and silos; and what shows who took part: participation, silos, acts, report.

import { readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { reportPage } from '../../../auditor/report/page.js';
import { roundFacts } from '../../../auditor/report/facts.js';
import { completed, running } from '../admin/states.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { jobOf } from '../../support/memory/readings.js';
import { sign, successorOf } from '../../support/memory/rosters.js';
import { desk } from './desk.js';

const AUDITOR = { role: 'auditor', id: 'ada', key: null } as const;
const WHY = ['--reason', 'the ethics committee asks for it'];

describe('job pause, resume and abort', () => {
  it('are signed orders, which the job shows from then on', async () => {
    const at = await desk(running().consortium);
    expect(await at.run('job', 'pause', 'job-1', ...WHY)).toMatchObject({
      code: 0,
      out: 'Order 1: Job job-1 is paused. A round that is open runs to its end.',
    });
    expect(at.consortium.job).toMatchObject({
      status: 'paused',
      reason: 'the ethics committee asks for it (operator/olga)',
    });
    expect((await at.run('job', 'resume', 'job-1', ...WHY)).out).toBe('Order 2: Job job-1 goes on.');
    expect(await at.json('job', 'abort', 'job-1', ...WHY)).toEqual({
      number: 3,
      order: 'abort-job',
      job: 'job-1',
      reason: 'the ethics committee asks for it',
    });
    at.consortium.run();
    for (const silo of at.consortium.silos) expect(jobOf(silo).ended).toBe(true);
  });

  it('end with 4 where the state does not fit, with 2 without a reason', async () => {
    const at = await desk(completed().consortium);
    const late = await at.run('job', 'pause', 'job-1', ...WHY);
    expect([late.code, late.err]).toEqual([4, expect.stringContaining('job/state')]);
    expect((await at.run('job', 'pause', 'job-1')).code).toBe(2);
    const empty = await at.run('job', 'pause', 'job-1', '--reason', '');
    expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('audit/bad-reason')]);
  });

  it('are no business of auditors', async () => {
    const at = await desk(running().consortium, AUDITOR);
    const { code, err } = await at.run('job', 'abort', 'job-1', ...WHY);
    expect([code, err]).toEqual([2, expect.stringContaining('audit/not-operator')]);
    expect(at.consortium.coordinator.orders).toHaveLength(0);
  });
});

describe('round', () => {
  it('is shown with and without the word, and ended by an order', async () => {
    const at = await desk(running().consortium);
    const { out } = await at.run('round', 'job-1', '2');
    expect(out).toContain('Round 2 of job job-1');
    expect((await at.run('round', 'show', 'job-1', '2')).out).toBe(out);
    expect((await at.run('round', 'abort', 'job-1', '2', ...WHY)).out).toBe(
      'Order 1: Round 2 of job job-1 is abandoned.',
    );
    expect(at.consortium.job.closed[1]!.abandon).toBeDefined();
  });
});

describe('silos', () => {
  it('are listed, shown, denied and allowed', async () => {
    const at = await desk(running().consortium);
    expect((await at.run('silos', 'deny', 'silo-001', ...WHY)).out).toBe('Order 1: silo silo-001 is kept out.');
    const { out } = await at.run('silos');
    expect(out.split('\n')[0]).toMatch(/^SILO +CONNECTED +LAST SEEN +VERSION +CERTIFICATE +NOW$/);
    expect(out).toMatch(/^silo-001 .*DENIED by operator\/olga: the ethics committee asks for it$/m);
    expect(out).toMatch(/^silo-000 +yes +now +0\.1\.0 +in 57 d +job-1: round 2, mask$/m);
    const shown = (await at.run('silos', 'show', 'silo-001')).out;
    expect(shown).toMatch(/^DENIED +the ethics committee asks for it$/m);
    expect(shown).toMatch(/^job-1 +running +approved +2 +1 +2, mask +share +-$/m);
    expect(await at.json('silos', 'show', 'silo-003')).toMatchObject({
      silo: 'silo-003',
      lastSeen: null,
      denied: null,
    });
    expect((await at.run('silos', 'allow', 'silo-001', ...WHY)).out).toBe('Order 2: silo silo-001 is let in again.');
    expect((await at.run('silos', 'allow', 'silo-001', ...WHY)).err).toContain('order/no-effect');
    expect((await at.run('silos', 'show', 'silo-009')).code).toBe(4);
  });
});

describe('participation', () => {
  it('is a letter for each silo and round, and names in JSON', async () => {
    const consortium = new MemoryConsortium(5);
    consortium.hooks = { arrive: (silo, { type }) => !(silo.id === 'silo-001' && type === 'masked-header') };
    consortium.run(1);
    consortium.hooks = {};
    consortium.run();
    const at = await desk(consortium, AUDITOR);
    const { out } = await at.run('participation', 'job-1');
    expect(out).toMatch(/^SILO +IN SUM +ROUNDS 1 TO 3$/m);
    expect(out).toMatch(/^silo-000 +3\/3 +AAA$/m);
    expect(out).toMatch(/^silo-001 +2\/3 +2AA$/m);
    const json = await at.json('participation', 'job-1', '--from', '1', '--to', '1');
    expect(json).toMatchObject({ rounds: [{ round: 1, u3: ['silo-000', 'silo-002', 'silo-003', 'silo-004'] }] });
  });
});

describe('ledger', () => {
  it('lists what silos have charged, and finds the same in the log', async () => {
    const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 2 } });
    consortium.run();
    const at = await desk(consortium, AUDITOR);
    const { out, code } = await at.run('ledger', 'job-1', '--log');
    expect(code).toBe(0);
    expect(out).toMatch(/^JOB +SILO +ROUNDS +WITH NOISE +EPSILON/m);
    expect(out).toMatch(/^job-1 +silo-000 +2 +0 +none +- +- +2 +2$/m);
    expect(out).toMatch(/^The log holds the same charges\.$/m);
    const line = { silo: 'silo-000', rounds: 2, roundsOfDataSet: 2, epsilon: null, delta: null };
    expect(await at.json('ledger')).toMatchObject([line, {}, {}, {}]);
    // A coordinator that says something else than its log.
    const [round] = consortium.job.closed;
    const less = { ...round!, acks: new Map() };
    const jobs = new Map([
      [consortium.job.manifest.jobId, { ...consortium.job, closed: consortium.job.closed.with(0, less) }],
    ]);
    consortium.coordinator = { ...consortium.coordinator, jobs };
    expect((await at.run('ledger', 'job-1', '--log')).err).toContain('audit/bad-answer');
    expect((await at.run('ledger', 'job-9')).code).not.toBe(0);
  });
});

describe('ledger --log while a job runs', () => {
  it('takes what was charged between two readings of the log for what it is', async () => {
    const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 2 } });
    consortium.run(1);
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        getLedger: async (...call) => {
          consortium.run();
          return honest.getLedger(...call);
        },
      }),
    });
    const { out, code } = await at.run('ledger', 'job-1', '--log');
    expect(code).toBe(0);
    expect(out).toMatch(/^job-1 +silo-000 +2 +0 /m);
  });
});

describe('rosters that follow one another', () => {
  it('are asked for until the one in force is there, however few come at once', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.run();
    for (let epoch = 1; epoch <= 3; epoch++) {
      const roster = successorOf(consortium.coordinator.self.roster);
      for (const { index } of consortium.silos) sign(consortium, index, roster, index === 0);
      consortium.settle();
    }
    expect(consortium.coordinator.self.roster.epoch).toBe(3n);
    const asked: bigint[] = [];
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        getServerInfo: async (caller, request) => {
          asked.push(request.afterEpoch);
          const info = await honest.getServerInfo(caller, request);
          return { ...info, successors: info.successors.slice(0, 1) };
        },
      }),
    });
    expect((await at.run('jobs')).code).toBe(0);
    expect(asked).toEqual([0n, 1n, 2n]);
  });

  it('that are not those which were asked for are refused', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.run();
    const roster = successorOf(consortium.coordinator.self.roster);
    for (const { index } of consortium.silos) sign(consortium, index, roster, index === 0);
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        // Says that there is always one more.
        getServerInfo: async (caller) => ({
          ...(await honest.getServerInfo(caller, { afterEpoch: 0n })),
          rosterEpoch: 9n,
        }),
      }),
    });
    expect((await at.run('jobs')).err).toContain('audit/bad-answer');
  });
});

describe('acts', () => {
  it('lists what was done and exported, and by whom', async () => {
    const at = await desk(running().consortium);
    await at.run('job', 'pause', 'job-1', ...WHY);
    const { out } = await at.run('acts');
    expect(out).toMatch(/^1 +1970-01-01T\S+ +operator\/olga +GiveOrder +order pauseJob, job job-1$/m);
    expect(await at.json('acts')).toMatchObject({
      acts: [{ number: 1, actor: 'operator/olga', method: 'GiveOrder', about: { order: 'pauseJob', job: 'job-1' } }],
    });
  });
});

describe('report', () => {
  it('names those alone whose cosignatures verify', async () => {
    const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 1 } });
    consortium.run();
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        getCheckpoint: async (...call) => {
          const answer = await honest.getCheckpoint(...call);
          const lines = Buffer.from(answer.note).toString().split('\n');
          const spoilt = lines.map((line) => (line.includes('silo-003') ? line.replace(/.{8}$/, 'AAAAAAA=') : line));
          expect(spoilt).not.toEqual(lines);
          return { ...answer, note: Buffer.from(spoilt.join('\n')) };
        },
      }),
    });
    const json = (await at.json('report', 'job-1')) as { checkpoints: { newest: { cosignedBy: string[] } } };
    const names = json.checkpoints.newest.cosignedBy;
    expect(names).toContain('silo-000');
    expect(names).not.toContain('silo-003');
  });

  it('is one page that needs nothing else, and the same facts as JSON', async () => {
    const at = await desk(completed().consortium, AUDITOR);
    const out = at.path('report.html');
    expect((await at.run('report', 'job-1', '--out', out)).out).toBe(`Wrote ${out}: 3 rounds.`);
    const page = await readFile(out, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    for (const title of ['What it is', 'Survivors', 'Participation', 'Rounds'])
      expect(page).toContain(`<h2>${title}</h2>`);
    // Nothing that would be fetched or run; what has no data has no heading.
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import|Checkpoint history/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    const json = await at.json('report', 'job-1');
    expect(json).toMatchObject({
      job: { job: 'job-1' },
      rounds: [{ round: 1, outcome: 'applied', inSum: 4, cohort: 4, threshold: 3 }, {}, {}],
      participation: [{ round: 1 }, {}, {}],
    });
    // A page that is there is not replaced unasked.
    expect((await at.run('report', 'job-1', '--out', out)).code).not.toBe(0);
    expect((await at.run('report', 'job-1', '--out', out, '--force')).code).toBe(0);
    expect((await stat(out)).size).toBeGreaterThan(4000);
    expect((await at.run('report', 'job-1')).code).toBe(2);
  });

  it('draws metrics and phase times, keeps text of others text, and shows more where there is more', async () => {
    const { handlers } = completed();
    const { job } = await handlers.getJob({ role: 'auditor', id: 'ada' }, { jobId: 'job-1' });
    const { round } = await handlers.getRound(
      { role: 'auditor', id: 'ada' },
      { jobId: 'job-1', round: 1, fields: ['round'] },
    );
    const rounds = [1, 2, 3].map((number) => ({
      ...roundFacts(round!),
      round: number,
      phases: [
        { phase: 'mask', ms: 1000 * number },
        { phase: 'confirm', ms: 200 },
      ],
      metrics: { loss: 1 / number, auc: 0.9 },
      notes: ['<script>alert(1)</script>'],
    }));
    const facts = {
      job: { ...job!, reason: '"><img src=x>' },
      coordinator: { version: '1', consortium: 'north' },
      madeAt: 'now',
      rounds,
      participation: { silos: [], rounds: [] },
      ledger: [
        {
          siloId: 'silo-000',
          jobId: 'job-1',
          rounds: 3,
          roundsWithNoise: 2,
          roundsOfDataSet: 7n,
          dataSet: new Uint8Array(32),
          lastRound: 3,
          epsilon: 1.5,
          delta: 1e-6,
          unit: 'patient',
        },
      ],
      checkpoints: {
        uses: [1, 2].map((round) => ({ round, attempt: 1, at: '<b>', size: 10 * round, root: 'ab' })),
        newest: { size: 30, root: 'cd', cosignedBy: ['silo/silo-000', '<i>'], logSize: 31 },
      },
    };
    const page = reportPage(facts);
    expect(page.match(/<polyline/g)).toHaveLength(3);
    expect(page).toContain('1.5000 at delta 0.000001, for one patient');
    expect(page).toContain('30 of 31 entries');
    expect(page).toContain('&#60;b&#62;');
    expect(page).toContain('<title>Seconds by phase</title>');
    expect(page).not.toMatch(/<script|<img/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).not.toContain('<h2>Slices</h2>');
    const sliced = facts.rounds.map((round) => ({
      ...round,
      metrics: { ...round.metrics, 'auc [ward = <A 1>]': 0.75, 'records [ward = <A 1>]': 40 },
    }));
    const section = /<h2>Slices<\/h2>.*?<\/section>/s.exec(reportPage({ ...facts, rounds: sliced }))?.[0];
    expect(section).toMatch(/ward = &#60;A 1&#62;.*0\.75.*40/s);
  });
});
