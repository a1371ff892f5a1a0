// The wire's numbers in words, the same in tables and in JSON.

import { isoTime, unixMs } from '../src/base/index.js';
import { Artefact, JobKind, JobState, Outcome, Phase, SiloDecision, type Job, type Round } from '../src/wire/index.js';

const KINDS: ReadonlyMap<JobKind, string> = new Map([
  [JobKind.JOB_KIND_TRAIN, 'train'],
  [JobKind.JOB_KIND_EVALUATE, 'evaluate'],
  [JobKind.JOB_KIND_STATISTICS, 'statistics'],
]);

const STATES: ReadonlyMap<JobState, string> = new Map([
  [JobState.JOB_STATE_OFFERED, 'offered'],
  [JobState.JOB_STATE_RUNNING, 'running'],
  [JobState.JOB_STATE_COMPLETED, 'completed'],
  [JobState.JOB_STATE_PAUSED, 'paused'],
  [JobState.JOB_STATE_ENDED, 'ended'],
]);

const PHASES: ReadonlyMap<Phase, string> = new Map([
  [Phase.PHASE_ADVERTISE, 'advertise'],
  [Phase.PHASE_SHARE, 'share'],
  [Phase.PHASE_MASK, 'mask'],
  [Phase.PHASE_CONFIRM, 'confirm'],
  [Phase.PHASE_UNMASK, 'unmask'],
  [Phase.PHASE_PUBLISH, 'publish'],
  [Phase.PHASE_DONE, 'done'],
  [Phase.PHASE_ABANDONED, 'abandoned'],
  [Phase.PHASE_ABORTED, 'aborted'],
]);

const OUTCOMES: ReadonlyMap<Outcome, string> = new Map([
  [Outcome.OUTCOME_APPLIED, 'applied'],
  [Outcome.OUTCOME_REJECTED, 'rejected'],
]);

const UNITS: ReadonlyMap<string, string> = new Map([
  ['silo', 'hospital'],
  ['record', 'record'],
  ['patient', 'patient'],
]);

/** A later version may send what this one does not know. */
const UNKNOWN = 'unknown';

export function kindWord(kind: JobKind): string {
  return KINDS.get(kind) ?? UNKNOWN;
}

/** What an epsilon protects. */
export function unitWord(unit: string): string {
  return UNITS.get(unit) ?? UNKNOWN;
}

export function stateWord(state: JobState): string {
  return STATES.get(state) ?? UNKNOWN;
}

/** A job in any other state, or with an open round, may go on by itself. */
export function isOver({ state, openRound }: Pick<Job, 'state' | 'openRound'>): boolean {
  if (openRound !== 0) return false;
  return (
    state === JobState.JOB_STATE_COMPLETED || state === JobState.JOB_STATE_PAUSED || state === JobState.JOB_STATE_ENDED
  );
}

export function phaseWord(phase: Phase): string {
  return PHASES.get(phase) ?? UNKNOWN;
}

/** Undefined while there is none. */
export function outcomeWord({ outcome, phase }: Pick<Round, 'outcome' | 'phase'>): string | undefined {
  if (phase === Phase.PHASE_ABANDONED) return 'abandoned';
  return outcome === Outcome.OUTCOME_UNSPECIFIED ? undefined : (OUTCOMES.get(outcome) ?? UNKNOWN);
}

/** Undefined while there is none. */
export function decisionWord(decision: SiloDecision): string | undefined {
  if (decision === SiloDecision.SILO_DECISION_APPROVED) return 'approved';
  return decision === SiloDecision.SILO_DECISION_REFUSED ? 'refused' : undefined;
}

/** `3 s ago`, `5 min ago`, `2 h ago`, `9 d ago`; `never` for 0. */
export function agoWord(ms: bigint, nowMs: bigint): string {
  if (ms <= 0n) return 'never';
  return `${roughWord(Number(nowMs - ms))} ago`;
}

/** `in 6 d`; `over` when it is past. */
export function untilWord(ms: bigint, nowMs: bigint): string {
  if (ms <= 0n) return '-';
  return ms <= nowMs ? 'over' : `in ${roughWord(Number(ms - nowMs))}`;
}

function roughWord(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${String(hours)} h` : `${String(Math.floor(hours / 24))} d`;
}

/** Year 9999: what a coordinator sends beyond is no time. */
const LAST_MS = 253_402_300_799_999n;

/** ISO 8601 in UTC; undefined for 0, which the wire uses for "not yet", and for what is no time. */
export function timeWord(ms: bigint): string | undefined {
  return ms <= 0n || ms > LAST_MS ? undefined : isoTime(unixMs(Number(ms)));
}

/** `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`. */
export function durationWord(ms: number): string {
  if (ms < 1000) return `${String(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (minutes < 60) return `${String(minutes)} min ${two(Math.floor(seconds) % 60)} s`;
  return `${String(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`;
}

const ARTEFACTS: ReadonlyMap<string, string> = new Map([
  [String(Artefact.ARTEFACT_OPENED_SUM), 'opened sum'],
  [String(Artefact.ARTEFACT_MASKED_SUM), 'masked sum'],
  [String(Artefact.ARTEFACT_TRANSCRIPT), 'transcript'],
  [String(Artefact.ARTEFACT_RESULT), 'result'],
  [String(Artefact.ARTEFACT_MODEL_STATE), 'model state'],
  [String(Artefact.ARTEFACT_MISSING_INPUT), 'missing input'],
  [String(Artefact.ARTEFACT_FORWARD_MODEL), 'forward model'],
]);

/** What an act was about, in the words of the request: `job heart, round 3, transcript`. */
export function aboutWord(about: Readonly<Record<string, string>>): string {
  const input = about['artefact'] === String(Artefact.ARTEFACT_MISSING_INPUT);
  return Object.entries(about)
    .filter(([name, value]) => value !== '0' || (name === 'index' && input))
    .map(([name, value]) =>
      name === 'artefact'
        ? (ARTEFACTS.get(value) ?? `object ${value}`)
        : name === 'index'
          ? `of member ${value}`
          : `${name} ${value}`,
    )
    .join(', ');
}

/** A metric by name, for a table. */
export function metricWord({ metrics }: Round, name: string): string {
  const value = metrics.find((metric) => metric.name === name)?.value;
  return value === undefined ? '-' : numberWord(value);
}

/** Counts in full, everything else with four digits behind the point. */
export function numberWord(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}

/** Below this times 1 / sqrt(n), the directions of n silos have little in common. docs/recipes.md. */
const APART = 1.25;

/** How far the silos of a round pull the same way, 1 at most, and whether they pull apart; undefined in rounds that do not train. */
export function agreementOf({
  metrics,
  survivors,
}: Round): { readonly value: number; readonly apart: boolean } | undefined {
  const value = metrics.find(({ name }) => name === 'update-agreement')?.value;
  if (value === undefined) return undefined;
  return { value, apart: value < APART / Math.sqrt(Math.max(1, survivors.length)) };
}
