// Jobs and rounds as readers see them, over states of the real state machine.

import { describe, expect, it } from 'vitest';
import { openEnvelope } from '../../../src/protocol/index.js';
import {
  Ack,
  JobKind,
  JobManifest,
  JobState,
  Outcome,
  Phase,
  RoundPlan,
  RoundResult,
} from '../../../src/wire/index.js';
import { ADA, abandoned, completed, running, stand } from './states.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

const FIRST_PAGE = { pageSize: 0, pageToken: '', states: [], fields: [] };
const SILOS = ['silo-000', 'silo-001', 'silo-002', 'silo-003'];

describe('jobs', () => {
  it('shows an offered job with those who approved and refused it', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.silos.forEach((silo, i) => (silo.approves = i === 0));
    consortium.settle();
    const { jobs } = await stand(consortium).handlers.listJobs(ADA, FIRST_PAGE);
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({
      jobId: 'job-1',
      state: JobState.JOB_STATE_OFFERED,
      kind: JobKind.JOB_KIND_TRAIN,
      silos: SILOS,
      approvedBy: ['silo-000'],
      refusedBy: ['silo-001', 'silo-002', 'silo-003'],
      roundsDone: 0,
      roundLimit: 3,
      lastResultHash: new Uint8Array(),
    });
  });

  it('shows a completed job with its reason, its last result and its model', async () => {
    const { handlers, consortium } = completed();
    const { jobs } = await handlers.listJobs(ADA, FIRST_PAGE);
    expect(jobs[0]).toMatchObject({
      state: JobState.JOB_STATE_COMPLETED,
      reason: 'the last round is done',
      approvedBy: SILOS,
      roundsDone: 3,
      modelHash: consortium.job.modelHash,
      lastResultHash: consortium.job.closed[2]!.terminalHash,
    });
  });

  it('gives the manifest as its operator signed it', async () => {
    const { handlers, consortium } = completed();
    const { job, manifest } = await handlers.getJob(ADA, { jobId: 'job-1' });
    const { message } = openEnvelope(
      consortium.founded.roster,
      manifest,
      { type: 'manifest', signer: 'operator/olga' },
      JobManifest,
    );
    expect(message.jobId).toBe(job?.jobId);
  });

  it('refuses a job that does not exist, with a category that says so', async () => {
    const { handlers } = completed();
    for (const jobId of ['job-2', '', 'Not A Name'])
      await expect(handlers.getJob(ADA, { jobId })).rejects.toMatchObject({
        code: 'admin/no-job',
        category: 'missing',
      });
  });
});

describe('rounds', () => {
  it('shows a finished round with its survivors, acknowledgements and result', async () => {
    const { handlers, consortium } = completed();
    const { round } = await handlers.getRound(ADA, { jobId: 'job-1', round: 2, fields: [] });
    const closed = consortium.job.closed[1]!;
    expect(round).toMatchObject({
      jobId: 'job-1',
      round: 2,
      attempt: 1,
      phase: Phase.PHASE_DONE,
      rid: closed.plan.rid,
      cohort: SILOS,
      threshold: 3,
      survivors: SILOS,
      acknowledgedBy: SILOS,
      disputedBy: [],
      outcome: Outcome.OUTCOME_APPLIED,
      resultHash: closed.terminalHash,
      newModelHash: closed.result!.newModelHash,
      startedUnixMs: BigInt(closed.startedAt),
      endedUnixMs: BigInt(closed.endedAt),
    });
    expect(round?.timeline.map(({ phase }) => phase)).toEqual([
      Phase.PHASE_ADVERTISE,
      Phase.PHASE_SHARE,
      Phase.PHASE_MASK,
      Phase.PHASE_CONFIRM,
      Phase.PHASE_UNMASK,
      Phase.PHASE_PUBLISH,
      Phase.PHASE_DONE,
    ]);
    expect(round?.progress).toEqual(
      SILOS.map((siloId) => ({ siloId, answered: Phase.PHASE_PUBLISH, connected: true })),
    );
  });

  it('gives the signed messages that a reader checks a finished round by', async () => {
    const { handlers, consortium } = completed();
    const { roster } = consortium.founded;
    const { plan, result, abandon, acknowledgements } = await handlers.getRound(ADA, {
      jobId: 'job-1',
      round: 1,
      fields: [],
    });
    expect(openEnvelope(roster, plan, { type: 'plan', signer: 'coordinator' }, RoundPlan).message.round).toBe(1);
    openEnvelope(roster, result, { type: 'result', signer: 'coordinator' }, RoundResult);
    expect(abandon).toBeUndefined();
    expect(acknowledgements.map(({ signer }) => signer)).toEqual(SILOS.map((silo) => `silo/${silo}`));
    for (const ack of acknowledgements) openEnvelope(roster, ack, { type: 'ack', signer: ack.signer }, Ack);
  });

  it('shows who has answered in an open round, and who is there', async () => {
    const { handlers, source } = running();
    source.gone.add(source.consortium.silos[1]!.id);
    const { round, result } = await handlers.getRound(ADA, { jobId: 'job-1', round: 2, fields: [] });
    expect(round).toMatchObject({ phase: Phase.PHASE_MASK, endedUnixMs: 0n, survivors: [], metrics: [] });
    expect(round?.outcome).toBe(Outcome.OUTCOME_UNSPECIFIED);
    expect(result).toBeUndefined();
    expect(round?.progress.map(({ answered }) => answered)).toEqual([
      Phase.PHASE_MASK,
      Phase.PHASE_SHARE,
      Phase.PHASE_MASK,
      Phase.PHASE_MASK,
    ]);
    expect(round?.progress.map(({ connected }) => connected)).toEqual([true, false, true, true]);
  });

  it('shows an abandoned round with all its attempts and the reasons', async () => {
    const { handlers } = abandoned();
    const { round, abandon, result } = await handlers.getRound(ADA, { jobId: 'job-1', round: 1, fields: [] });
    expect(round).toMatchObject({
      phase: Phase.PHASE_ABANDONED,
      attempt: 3,
      survivors: [],
      resultHash: new Uint8Array(),
    });
    expect(round?.notes.filter((note) => note.includes('ended in mask'))).toHaveLength(3);
    expect(new Set(round?.timeline.map(({ attempt }) => attempt))).toEqual(new Set([1, 2, 3]));
    expect(round?.timeline.map(({ phase }) => phase)).toContain(Phase.PHASE_ABORTED);
    expect(abandon?.type).toBe('abandon');
    expect(result).toBeUndefined();
  });

  it('refuses a round that has not been, and says how many there were', async () => {
    const { handlers } = completed();
    for (const round of [0, 4])
      await expect(handlers.getRound(ADA, { jobId: 'job-1', round, fields: [] })).rejects.toMatchObject({
        code: 'admin/no-round',
        category: 'missing',
        message: `job "job-1" has had 3 of 3 rounds, there is no round ${round}.`,
      });
  });
});
