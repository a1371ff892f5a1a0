// What a report on a job is made of: plain facts, the same for the page and for --json.

import type { Job, LedgerLine, Round } from '../../src/wire/index.js';
import type { WholeParticipation } from '../lists.js';
import type { CheckpointHistory } from './history.js';
import { outcomeWord, phaseWord, timeWord } from '../words.js';

export interface PhaseSpan {
  readonly phase: string;
  readonly ms: number;
}

export interface RoundFacts {
  readonly round: number;
  readonly attempts: number;
  /** applied, rejected, abandoned; null while it is open. */
  readonly outcome: string | null;
  readonly cohort: number;
  readonly threshold: number;
  readonly inSum: number;
  readonly acknowledged: number;
  readonly disputed: number;
  readonly started: string | null;
  /** Null while it is open. */
  readonly ms: number | null;
  /** Of all attempts together, in the order of their beginning. */
  readonly phases: readonly PhaseSpan[];
  readonly metrics: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

export interface ReportFacts {
  readonly job: Job;
  readonly coordinator: { readonly version: string; readonly consortium: string };
  readonly madeAt: string;
  readonly rounds: readonly RoundFacts[];
  readonly participation: WholeParticipation;
  /** What silos have charged; empty where nothing was. */
  readonly ledger: readonly LedgerLine[];
  /** Undefined where the consortium keeps no log. */
  readonly checkpoints: CheckpointHistory | undefined;
}

export function roundFacts(round: Round): RoundFacts {
  const { startedUnixMs, endedUnixMs, timeline } = round;
  const spans = new Map<string, number>();
  timeline.forEach(({ phase, beganUnixMs }, i) => {
    const next = timeline[i + 1];
    if (next === undefined) return;
    const word = phaseWord(phase);
    spans.set(word, (spans.get(word) ?? 0) + Number(next.beganUnixMs - beganUnixMs));
  });
  return {
    round: round.round,
    attempts: round.attempt,
    outcome: outcomeWord(round) ?? null,
    cohort: round.cohort.length,
    threshold: round.threshold,
    inSum: round.survivors.length,
    acknowledged: round.acknowledgedBy.length,
    disputed: round.disputedBy.length,
    started: timeWord(startedUnixMs) ?? null,
    ms: endedUnixMs > 0n ? Number(endedUnixMs - startedUnixMs) : null,
    phases: [...spans].map(([phase, ms]) => ({ phase, ms })),
    metrics: Object.fromEntries(round.metrics.map(({ name, value }) => [name, value])),
    notes: round.notes,
  };
}
