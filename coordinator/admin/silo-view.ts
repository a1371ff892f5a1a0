// A silo as the consortium's operators see it: whether it is there, since when not, with which certificate, and how far it is in its jobs.

import type { SiloId } from '../../src/base/index.js';
import { indexIn, type CoordinatorJob } from '../../src/protocol/index.js';
import { Phase, SiloDecision, type Silo, type SiloJob } from '../../src/wire/index.js';
import { JOB_STATES } from './job-view.js';
import { answeredInOpen, COORDINATOR_PHASES } from './round-view.js';
import type { AdminSource } from './source.js';

export function siloView(source: Pick<AdminSource, 'state' | 'seen' | 'connected'>, silo: SiloId): Silo {
  const state = source.state();
  const seen = source.seen(silo);
  const denied = state.denied.get(silo);
  const jobs = [...state.jobs.values()].filter(({ manifest }) => manifest.silos.includes(silo));
  return {
    siloId: silo,
    connected: source.connected(silo),
    lastSeenUnixMs: BigInt(seen?.at ?? 0),
    agentVersion: seen?.agentVersion ?? '',
    certificateNotAfterUnixMs: BigInt(seen?.certificateNotAfter ?? 0),
    certificateSerial: seen?.certificateSerial ?? '',
    denied:
      denied === undefined
        ? undefined
        : { reason: denied.order.reason, by: denied.order.signer, sinceUnixMs: BigInt(denied.at) },
    jobs: jobs.map((job) => inJob(job, silo)),
  };
}

function inJob(job: CoordinatorJob, silo: SiloId): SiloJob {
  const { open, closed } = job;
  const index = open === undefined ? undefined : indexIn(open.plan, silo);
  const took = open !== undefined && index !== undefined;
  return {
    jobId: job.manifest.jobId,
    state: JOB_STATES[job.status],
    decision: job.approvals.has(silo)
      ? SiloDecision.SILO_DECISION_APPROVED
      : job.refusals.has(silo)
        ? SiloDecision.SILO_DECISION_REFUSED
        : SiloDecision.SILO_DECISION_NONE,
    barred: job.barred.get(silo)?.code ?? '',
    openRound: took ? open.plan.round : 0,
    phase: took ? COORDINATOR_PHASES[open.attempt.phase] : Phase.PHASE_UNSPECIFIED,
    answered: took ? answeredInOpen(open.attempt, index) : Phase.PHASE_UNSPECIFIED,
    roundsInCohort: closed.filter(({ plan }) => plan.cohort.includes(silo)).length + (took ? 1 : 0),
    roundsInSum: closed.filter(({ survivors }) => survivors.includes(silo)).length,
  };
}
