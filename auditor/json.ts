// What --json prints of jobs and rounds. Scripts rely on these names: hashes in lower-case hexadecimal, times in ISO 8601, null for what
// is not there yet.

import { hex } from '../src/base/index.js';
import { Phase, type Job, type Round } from '../src/wire/index.js';
import { kindWord, outcomeWord, phaseWord, stateWord, timeWord } from './words.js';

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

function hashJson(hash: Uint8Array): string | null {
  return hash.length === 0 ? null : hex(hash);
}
