// The job has had its last round, or the consortium's operator ended it.

import { asJobId } from '../../base/index.js';
import type { JobClosedDirective } from '../../wire/index.js';
import { demanded } from '../rejection.js';
import { jobOf, withJob } from './change.js';
import type { Accepted, JournalledEvent } from './event.js';
import type { SiloState } from './state.js';

export function onJobClosed(state: SiloState, event: JournalledEvent, value: JobClosedDirective): Accepted<SiloState> {
  const jobId = demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.');
  const job = jobOf(state, jobId);
  if (job.ended) return { state, effects: [] };
  return {
    state: withJob(state, { ...job, ended: true }),
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'notice', jobId, round: job.closedRound, code: 'job/closed', detail: value.reason.slice(0, 200) },
    ],
  };
}
