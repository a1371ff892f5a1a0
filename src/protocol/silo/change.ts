// Small edits of the immutable state.

import { equalBytes, type JobId } from '../../base/index.js';
import { demanded } from '../rejection.js';
import type { AttemptState, JobState, OpenRound, SiloState } from './state.js';

export function jobOf(state: SiloState, jobId: JobId): JobState {
  return demanded(state.jobs.get(jobId), 'plan/unknown-job', `this silo knows no job "${jobId}".`, 'missing');
}

export function withJob(state: SiloState, job: JobState): SiloState {
  return { ...state, jobs: new Map(state.jobs).set(job.manifest.jobId, job) };
}

export function withRound(state: SiloState, job: JobState, open: OpenRound): SiloState {
  return withJob(state, { ...job, open });
}

export function withAttempt(
  state: SiloState,
  job: JobState,
  open: OpenRound,
  change: Partial<AttemptState>,
): SiloState {
  return withRound(state, job, { ...open, attempt: { ...open.attempt, ...change } });
}

export interface Located {
  readonly job: JobState;
  readonly open: OpenRound;
  readonly attempt: AttemptState;
}

/** The open attempt that a directive is about; undefined when it is not (any more) the current one. */
export function locate(state: SiloState, rid: Uint8Array, attempt: number): Located | undefined {
  for (const job of state.jobs.values()) {
    const { open } = job;
    if (open === undefined || !equalBytes(open.plan.rid, rid)) continue;
    return open.attempt.context.attempt.attempt === attempt ? { job, open, attempt: open.attempt } : undefined;
  }
  return undefined;
}

/** As locate, but a refusal when there is none. */
export function located(state: SiloState, rid: Uint8Array, attempt: number): Located {
  return demanded(
    locate(state, rid, attempt),
    'confirm/wrong-phase',
    'the message is about a round or attempt that is not open here.',
    'state',
  );
}
