// What --json prints of jobs and rounds. Scripts rely on these names: hashes in lower-case hexadecimal, times in ISO 8601, null for what
// is not there yet.

import { hex } from '../src/base/index.js';
import {
  Phase,
  type Act,
  type Job,
  type LedgerLine,
  type Participation,
  type Round,
  type Silo,
} from '../src/wire/index.js';
import { decisionWord, kindWord, outcomeWord, phaseWord, stateWord, timeWord } from './words.js';

export function jobJson(job: Job) {
  return {
    job: job.jobId,
    manifestHash: hex(job.manifestHash),
    kind: kindWord(job.kind),
    state: stateWord(job.state),
    reason: job.reason,
    silos: job.silos,
    approvedBy: job.approvedBy,
    refusedBy: job.refusedBy,
    roundsDone: job.roundsDone,
    roundLimit: job.roundLimit,
    modelHash: hex(job.modelHash),
    created: timeWord(job.createdUnixMs) ?? null,
    lastResultHash: hashJson(job.lastResultHash),
    barred: job.barred,
    openRound: job.openRound === 0 ? null : job.openRound,
  };
}

export function roundJson(round: Round) {
  return {
    job: round.jobId,
    round: round.round,
    attempt: round.attempt,
    phase: phaseWord(round.phase),
    rid: hex(round.rid),
    cohort: round.cohort,
    threshold: round.threshold,
    survivors: round.survivors,
    acknowledgedBy: round.acknowledgedBy,
    disputedBy: round.disputedBy,
    outcome: outcomeWord(round) ?? null,
    resultHash: hashJson(round.resultHash),
    newModelHash: hashJson(round.newModelHash),
    started: timeWord(round.startedUnixMs) ?? null,
    ended: timeWord(round.endedUnixMs) ?? null,
    metrics: Object.fromEntries(round.metrics.map(({ name, value }) => [name, value])),
    timeline: round.timeline.map(({ attempt, phase, beganUnixMs }) => ({
      attempt,
      phase: phaseWord(phase),
      began: timeWord(beganUnixMs) ?? null,
    })),
    notes: round.notes,
    progress: round.progress.map(({ siloId, answered, connected }) => ({
      silo: siloId,
      answered: answered === Phase.PHASE_UNSPECIFIED ? null : phaseWord(answered),
      connected,
    })),
  };
}

export function siloJson(silo: Silo) {
  return {
    silo: silo.siloId,
    connected: silo.connected,
    lastSeen: timeWord(silo.lastSeenUnixMs) ?? null,
    agentVersion: silo.agentVersion === '' ? null : silo.agentVersion,
    certificateEnds: timeWord(silo.certificateNotAfterUnixMs) ?? null,
    certificateSerial: silo.certificateSerial === '' ? null : silo.certificateSerial,
    denied:
      silo.denied === undefined
        ? null
        : { reason: silo.denied.reason, by: silo.denied.by, since: timeWord(silo.denied.sinceUnixMs) ?? null },
    jobs: silo.jobs.map((job) => ({
      job: job.jobId,
      state: stateWord(job.state),
      decision: decisionWord(job.decision) ?? null,
      barred: job.barred === '' ? null : job.barred,
      openRound: job.openRound === 0 ? null : job.openRound,
      phase: job.openRound === 0 ? null : phaseWord(job.phase),
      answered: job.answered === Phase.PHASE_UNSPECIFIED ? null : phaseWord(job.answered),
      roundsInCohort: job.roundsInCohort,
      roundsInSum: job.roundsInSum,
    })),
  };
}

/** Positions become names. */
export function participationJson(silos: readonly string[], round: Participation) {
  const named = (positions: readonly number[]): string[] => positions.flatMap((at) => silos[at] ?? []);
  return {
    round: round.round,
    attempt: round.attempt,
    phase: phaseWord(round.phase),
    outcome: outcomeWord(round) ?? null,
    cohort: named(round.cohort),
    u1: named(round.u1),
    u2: named(round.u2),
    u3: named(round.u3),
    acknowledged: named(round.acknowledged),
    disputed: named(round.disputed),
  };
}

export function ledgerJson(line: LedgerLine) {
  const noised = line.roundsWithNoise > 0;
  return {
    silo: line.siloId,
    job: line.jobId,
    rounds: line.rounds,
    roundsWithNoise: line.roundsWithNoise,
    roundsOfDataSet: Number(line.roundsOfDataSet),
    dataSet: hashJson(line.dataSet),
    lastRound: line.lastRound,
    // Null where nothing proves a bound: JSON has no infinity, and 0 would be perfect privacy.
    epsilon: noised && Number.isFinite(line.epsilon) ? line.epsilon : null,
    delta: noised ? line.delta : null,
    unit: noised ? line.unit : null,
  };
}

export function actJson({ number, atUnixMs, actor, method, about }: Act) {
  const { round, ...more } = about;
  // A number as everywhere else; there is none in what is about a whole job.
  const where = round === undefined || round === '0' ? more : { ...more, round: Number(round) };
  return { number: Number(number), at: timeWord(atUnixMs) ?? null, actor, method, about: where };
}

function hashJson(hash: Uint8Array): string | null {
  return hash.length === 0 ? null : hex(hash);
}
