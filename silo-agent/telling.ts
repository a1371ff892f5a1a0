// What a silo's operator wants to read in the agent's log.

import type { Rejection, SiloEvent, SiloState } from '../src/protocol/index.js';
import type { EventName, Log } from '../src/telemetry/index.js';

/** What a silo that has just started is refused until a quorum has cosigned its Hello: it asks again by itself. */
const PENDING: ReadonlySet<string> = new Set(['log/hello-pending', 'log/unread']);

/** Events that are logged as they are. */
const TOLD: Partial<Record<SiloEvent['$case'], EventName>> = {
  jobDecided: 'job.decided',
  attemptStarted: 'round.started',
  receiptReceived: 'round.uploaded',
  fingerprinted: 'round.signed',
  unmaskRequested: 'round.released',
};

/** `state` is the one after `event`. */
export function tell(log: Log, state: SiloState, event: SiloEvent): void {
  if (event.$case === 'jobPrepared' && event.value.refusedCode === '')
    log.info('job.prepared', { job: event.value.jobId });
  else if (event.$case === 'resultVerified' && event.value.failedCode === '')
    log.info('round.verified', { job: event.value.jobId, round: event.value.round });
  else {
    const name = TOLD[event.$case];
    if (name !== undefined) log.info(name, openRound(state));
  }
}

export function tellRejected(log: Log, event: SiloEvent, { code, detail, evidence }: Rejection): void {
  const level = PENDING.has(code) ? 'debug' : 'warn';
  log[level]('directive.refused', { directive: event.$case, code, detail, evidence: evidence.length });
}

function openRound(state: SiloState): { job?: string; round?: number } {
  const open = [...state.jobs.values()].find((job) => job.open !== undefined)?.open;
  return open === undefined ? {} : { job: open.plan.jobId, round: open.plan.round };
}
