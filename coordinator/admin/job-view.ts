// A job of the coordinator's state as readers see it.

import { lastRound, type CoordinatorJob, type JobStatus } from '../../src/protocol/index.js';
import { JobState, type Job } from '../../src/wire/index.js';

export const JOB_STATES: Readonly<Record<JobStatus, JobState>> = {
  offered: JobState.JOB_STATE_OFFERED,
  running: JobState.JOB_STATE_RUNNING,
  completed: JobState.JOB_STATE_COMPLETED,
  paused: JobState.JOB_STATE_PAUSED,
  ended: JobState.JOB_STATE_ENDED,
};

export function jobView(job: CoordinatorJob): Job {
  const { manifest, closed } = job;
  return {
    jobId: manifest.jobId,
    manifestHash: manifest.hash,
    kind: manifest.message.kind,
    state: JOB_STATES[job.status],
    reason: job.reason,
    silos: [...manifest.silos],
    approvedBy: manifest.silos.filter((silo) => job.approvals.has(silo)),
    refusedBy: manifest.silos.filter((silo) => job.refusals.has(silo)),
    roundsDone: closed.length,
    roundLimit: lastRound(manifest),
    modelHash: job.modelHash,
    createdUnixMs: BigInt(job.createdAt),
    lastResultHash: closed.at(-1)?.terminalHash ?? new Uint8Array(),
    barred: manifest.silos.filter((silo) => job.barred.has(silo)),
    openRound: job.open?.plan.round ?? 0,
  };
}

/** No round is open, and none follows by itself. */
export function isOver({ status, open }: CoordinatorJob): boolean {
  if (open !== undefined) return false;
  return status === 'completed' || status === 'paused' || status === 'ended';
}
