// A round of the coordinator's state as readers see it: who is in it, how far it is, and what came of it. Nothing of a single silo but
// which messages it has handed in.

import type { SiloId } from '../../src/base/index.js';
import type {
  ClosedRound,
  CoordinatorAttempt,
  CoordinatorJob,
  CoordinatorPhase,
  CoordinatorRound,
  PhaseBegin,
} from '../../src/protocol/index.js';
import { Outcome, Phase, type PhaseTime, type Round } from '../../src/wire/index.js';

/** Whether the silo is there now. */
export type Connected = (silo: SiloId) => boolean;

export const COORDINATOR_PHASES: Readonly<Record<CoordinatorPhase, Phase>> = {
  advertise: Phase.PHASE_ADVERTISE,
  share: Phase.PHASE_SHARE,
  // The second step of sharing: what was dealt is being checked.
  check: Phase.PHASE_SHARE,
  mask: Phase.PHASE_MASK,
  confirm: Phase.PHASE_CONFIRM,
  unmask: Phase.PHASE_UNMASK,
  publish: Phase.PHASE_PUBLISH,
  aborted: Phase.PHASE_ABORTED,
};

/** Rounds count from 1 and none is left out; the open one, if any, is the last. */
export function roundOf(job: CoordinatorJob, round: number): ClosedRound | CoordinatorRound | undefined {
  const closed = job.closed[round - 1];
  if (closed !== undefined) return closed;
  return job.open?.plan.round === round ? job.open : undefined;
}

export function roundsOf({ closed, open }: CoordinatorJob): number {
  return closed.length + (open === undefined ? 0 : 1);
}

export function isClosed(round: ClosedRound | CoordinatorRound): round is ClosedRound {
  return 'terminalHash' in round;
}

export function roundView(round: ClosedRound | CoordinatorRound, connected: Connected): Round {
  return isClosed(round) ? closedView(round, connected) : openView(round, connected);
}

function openView(round: CoordinatorRound, connected: Connected): Round {
  const { plan, attempt } = round;
  const survivors = [...(attempt.survivors?.members.keys() ?? [])].sort((a, b) => a - b);
  return {
    ...planned(round),
    attempt: attempt.context.attempt.attempt,
    phase: COORDINATOR_PHASES[attempt.phase],
    survivors: survivors.flatMap((index) => plan.cohort[index] ?? []),
    acknowledgedBy: [],
    disputedBy: [],
    outcome: Outcome.OUTCOME_UNSPECIFIED,
    resultHash: new Uint8Array(),
    newModelHash: new Uint8Array(),
    endedUnixMs: 0n,
    metrics: [],
    timeline: timelineOf(round.timeline),
    notes: [...round.notes],
    progress: plan.cohort.map((siloId, index) => ({
      siloId,
      answered: answeredInOpen(attempt, index),
      connected: connected(siloId),
    })),
  };
}

function closedView(round: ClosedRound, connected: Connected): Round {
  const { plan, result } = round;
  const phase = result === undefined ? Phase.PHASE_ABANDONED : Phase.PHASE_DONE;
  return {
    ...planned(round),
    attempt: round.attempt,
    phase,
    survivors: [...round.survivors],
    acknowledgedBy: [...round.acks.keys()].sort(),
    disputedBy: [...round.disputes.keys()].sort(),
    outcome: result?.outcome ?? Outcome.OUTCOME_UNSPECIFIED,
    resultHash: result === undefined ? new Uint8Array() : round.terminalHash,
    newModelHash: result?.newModelHash ?? new Uint8Array(),
    endedUnixMs: BigInt(round.endedAt),
    metrics: [...round.metrics],
    timeline: [...timelineOf(round.timeline), { attempt: round.attempt, phase, beganUnixMs: BigInt(round.endedAt) }],
    notes: [...round.notes],
    progress: plan.cohort.map((siloId, index) => ({
      siloId,
      answered: answeredInClosed(round, siloId, index),
      connected: connected(siloId),
    })),
  };
}

function planned({ plan, startedAt }: Pick<ClosedRound, 'plan' | 'startedAt'>) {
  return {
    jobId: plan.jobId,
    round: plan.round,
    rid: plan.rid,
    cohort: [...plan.cohort],
    threshold: plan.t,
    startedUnixMs: BigInt(startedAt),
  };
}

function timelineOf(timeline: readonly PhaseBegin[]): PhaseTime[] {
  // Checking is the second step of sharing, and people are shown one phase.
  const shown = timeline.filter(({ phase }) => phase !== 'check');
  return shown.map(({ attempt, phase, at }) => ({
    attempt,
    phase: COORDINATOR_PHASES[phase],
    beganUnixMs: BigInt(at),
  }));
}

/** The last phase of this attempt in which the silo's message has come. */
export function answeredInOpen(attempt: CoordinatorAttempt, index: number): Phase {
  if (attempt.releases.has(index)) return Phase.PHASE_UNMASK;
  if (attempt.consistency.has(index)) return Phase.PHASE_CONFIRM;
  if (attempt.masked.has(index)) return Phase.PHASE_MASK;
  if (attempt.offeredShares.has(index)) return Phase.PHASE_SHARE;
  if (attempt.advertised.has(index)) return Phase.PHASE_ADVERTISE;
  return Phase.PHASE_UNSPECIFIED;
}

/** What a terminal entry still tells of it. */
function answeredInClosed({ result, survivors, acks, disputes }: ClosedRound, silo: SiloId, index: number): Phase {
  if (acks.has(silo) || disputes.has(silo)) return Phase.PHASE_PUBLISH;
  if (result === undefined || !survivors.includes(silo)) return Phase.PHASE_UNSPECIFIED;
  return result.missing.includes(index) ? Phase.PHASE_MASK : Phase.PHASE_CONFIRM;
}
