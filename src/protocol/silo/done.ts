// The job has had its last round, or an operator of the consortium ended it: then the silo wants to see the signed order, so that a
// coordinator alone cannot take a job from its silos.

import { asJobId } from '../../base/index.js';
import type { Envelope, JobClosedDirective } from '../../wire/index.js';
import { lastRound } from '../manifest.js';
import { demandOfJob, openOrder } from '../order.js';
import { demand, demanded } from '../rejection.js';
import { jobOf, withJob } from './change.js';
import type { Accepted, JournalledEvent } from './event.js';
import type { JobState, SiloState } from './state.js';

export function onJobClosed(state: SiloState, event: JournalledEvent, value: JobClosedDirective): Accepted<SiloState> {
  const jobId = demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.');
  const job = jobOf(state, jobId);
  if (job.ended) return { state, effects: [] };
  if (value.order !== undefined) demandEnds(state, job, value.order);
  else
    demand(
      job.stopped || job.closedRound >= lastRound(job.manifest),
      'order/missing',
      `the last round closed here is ${String(job.closedRound)} of ${String(lastRound(job.manifest))}.`,
      'state',
    );
  return {
    state: withJob(state, { ...job, ended: true }),
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'notice', jobId, round: job.closedRound, code: 'job/closed', detail: value.reason.slice(0, 200) },
    ],
  };
}

function demandEnds({ self }: SiloState, job: JobState, envelope: Envelope): void {
  const { action } = openOrder(self.roster, envelope);
  demand(action.kind === 'abort-job', 'order/invalid', 'the order does not end a job.');
  demandOfJob(job.manifest, action);
}
