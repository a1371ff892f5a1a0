// What an operator wants to read in the coordinator's log.

import { shortHex } from '../src/base/index.js';
import type { CoordinatorEvent, CoordinatorState } from '../src/protocol/index.js';
import type { Log } from '../src/telemetry/index.js';

/** `state` is the one after `event`. */
export function tell(log: Log, state: CoordinatorState, event: CoordinatorEvent): void {
  if (event.$case === 'jobCreated') {
    const job = [...state.jobs.values()].at(-1);
    log.info('job.created', { job: job?.manifest.jobId });
  } else if (event.$case === 'orderGiven') {
    const taken = state.orders.at(-1)?.order;
    log.info('order.taken', {
      number: Number(taken?.number),
      by: taken?.signer,
      order: taken?.action.kind,
      reason: taken?.reason,
    });
  } else if (event.$case === 'messageReceived' && event.value.envelope?.type === 'successor') {
    const { roster } = state.self;
    const last = state.successions.at(-1);
    if (last?.by === state.events)
      log.info('roster.in-force', { epoch: Number(roster.epoch), roster: shortHex(roster.hash) });
    else log.info('roster.proposed', { by: event.value.siloId, proposals: state.proposals.size });
  } else if (event.$case === 'jobStopped') {
    const { jobId, state: stopped, reason } = event.value;
    log.info('job.stopped', { job: jobId, state: stopped, reason });
  } else if (event.$case === 'roundOpened' || event.$case === 'phaseClosed') {
    const { jobId } = event.value;
    const open = jobOf(state, jobId)?.open;
    if (open === undefined) return;
    const { phase, context } = open.attempt;
    log.info('round.phase', { job: jobId, round: open.plan.round, attempt: context.attempt.attempt, phase });
  }
}

export function tellClosed(log: Log, state: CoordinatorState, jobId: string, number: number): void {
  const round = jobOf(state, jobId)?.closed.find((one) => one.plan.round === number);
  if (round === undefined) return;
  log.info('round.closed', {
    job: jobId,
    round: number,
    attempt: round.attempt,
    cohort: round.plan.n,
    survivors: round.survivors.length,
    ending: round.result === undefined ? 'abandoned' : 'result',
    ms: round.endedAt - round.startedAt,
  });
}

function jobOf(state: CoordinatorState, jobId: string) {
  return [...state.jobs.values()].find((job) => job.manifest.jobId === jobId);
}
