// A job that its own rule ends: coordinator, silos and the offline verifier come to the same end, and nobody can move it.

import { beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle, memorySource } from '../../../src/audit/index.js';
import { RoundResult } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { byCoordinator, distinctSent } from '../../support/memory/readings.js';
import { refusedBySilo, until } from '../../support/memory/refusals.js';
import { judgeByHash, type Judge } from '../../support/memory/vectors.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';

/** The first loss is better than none; no later one is better by a thousand. */
const RULE = 'earlyStopping: { metric: loss, patience: 1, minimumImprovement: 1000 }';
const withRule = (rule: string) => (text: string) => text.replace(/^rounds:/m, `${rule}\nrounds:`);

let trained: Trained;

beforeAll(async () => {
  trained = await trainedConsortium(withRule(RULE));
});

describe('a rule for early stopping', () => {
  it('completes the job with the reason, and every silo lets go of it', () => {
    const { job, silos } = trained.consortium;
    expect(job.closed.map(({ result }) => result?.endsJob)).toEqual([false, true]);
    expect([job.status, job.reason]).toEqual(['completed', 'the rule for early stopping ended it after round 2']);
    for (const silo of silos)
      expect(silo.state.jobs.get(job.manifest.jobId)).toMatchObject({ closedRound: 2, stopped: true, ended: true });
  });

  it('is computed again by the offline verifier, which passes the job as it ended', async () => {
    const bundle = await bundleOfJob(trained);
    const { roster } = trained.consortium.founded;
    const verdict = verifyBundle(memorySource(bundle), { rosterHash: roster.hash });
    expect([verdict.word, verdict.findings]).toEqual(['PASS', []]);
    expect(verdict.notes.join()).toContain('was ended by its own rule after round 2 of 4');
  });

  it('ends nothing where the metric improves in time', async () => {
    const other = await trainedConsortium(withRule(RULE.replace('patience: 1', 'patience: 9')));
    expect(other.consortium.job.closed.length).toBe(4);
    expect(other.consortium.job.closed.every(({ result }) => result?.endsJob !== true)).toBe(true);
  });
});

describe('a coordinator that moves the end', () => {
  it.each([true, false])('is disputed where it says %s and the rule does not', (says) => {
    const judge: Judge = (context, opened, survivors) => ({
      ...judgeByHash(context, opened, survivors),
      endsJob: !says,
    });
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 3 }, judge });
    const { silo, value } = until(consortium, 'result', 1);
    const moved = byCoordinator(consortium.founded, value.result!, RoundResult, () => ({ endsJob: says }));
    silo.handle({ sequence: 1n << 60n, body: { $case: 'result', value: { ...value, result: moved } } });
    expect(distinctSent(silo, 'dispute')).toHaveLength(1);
    expect(distinctSent(silo, 'ack')).toHaveLength(0);
  });

  it('finds no silo for a round behind it', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 3 } });
    const { silo, value } = until(consortium, 'start', 1);
    const { jobId } = consortium.job.manifest;
    const job = silo.state.jobs.get(jobId)!;
    silo.state = { ...silo.state, jobs: new Map([[jobId, { ...job, stopped: true }]]) };
    expect(refusedBySilo(silo, { $case: 'start', value })).toBe('plan/round-limit');
  });
});
