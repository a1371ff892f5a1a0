// What comes out: findings, counts of what was checked, and one word.

import { isCodedError, printable } from '../base/index.js';
import { INCOMPLETE, VerifyError } from './errors.js';
import { AUDIT_LIMITS } from './limits.js';

export type Word = 'PASS' | 'FAIL' | 'INCOMPLETE';

export interface Finding {
  readonly verdict: 'FAIL' | 'INCOMPLETE';
  /** A code of docs/errors.md. */
  readonly code: string;
  /** e.g. "log", "job wdbc-train round 3". */
  readonly where: string;
  readonly message: string;
  /** Indices of the log's entries that show it. */
  readonly entries: readonly number[];
}

/** Counts that a reader can compare with what she expects of the job. */
export const COUNTED = [
  'entries',
  'signatures',
  'cosignatures',
  'approvals',
  'rounds',
  'results',
  'abandons',
  'attempts',
  'transcripts',
  'openings',
  'fingerprints',
  'coordinates',
  'checkpoints',
  'acks',
  'charges',
  'disputes',
  'deadlines',
] as const;
export type Counted = (typeof COUNTED)[number];

export interface RoundLine {
  readonly job: string;
  readonly round: number;
  readonly attempt: number;
  readonly cohort: number;
  readonly threshold: number;
  readonly survivors: number;
  readonly outcome: 'applied' | 'rejected' | 'abandoned' | 'open';
  readonly acks: number;
  readonly disputes: number;
  /** Hash of the result or Abandon. */
  readonly terminal: Uint8Array;
  /** Hash of the state after the round. */
  readonly model: Uint8Array;
}

export interface Verdict {
  readonly word: Word;
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<Counted, number>>;
  readonly rounds: readonly RoundLine[];
  /** What a reader should know that is neither good nor bad. */
  readonly notes: readonly string[];
}

const MESSAGE_MAX = 2_000;

/** Collects while the checks go on. */
export class Ledger {
  readonly findings: Finding[] = [];
  readonly rounds: RoundLine[] = [];
  readonly notes: string[] = [];
  readonly counts = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<Counted, number>;

  count(what: Counted, by = 1): void {
    this.counts[what] += by;
  }

  /** Runs one check; what it refuses becomes a finding, and undefined comes back. Bugs stay exceptions. */
  check<T>(where: string, work: () => T, entries: readonly number[] = []): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isCodedError(error) || error.category === 'internal') throw error;
      this.found(where, error.code, error.message, error instanceof VerifyError ? error.entries : entries, entries);
      return undefined;
    }
  }

  found(where: string, code: string, message: string, entries: readonly number[], otherwise = entries): void {
    if (this.findings.length >= AUDIT_LIMITS.findings) return;
    this.findings.push({
      verdict: INCOMPLETE.has(code) ? 'INCOMPLETE' : 'FAIL',
      code,
      where,
      message: printable(message, MESSAGE_MAX),
      entries: entries.length > 0 ? entries : otherwise,
    });
  }

  verdict(): Verdict {
    const { findings, counts, rounds, notes } = this;
    const failed = findings.some(({ verdict }) => verdict === 'FAIL');
    return { word: failed ? 'FAIL' : findings.length > 0 ? 'INCOMPLETE' : 'PASS', findings, counts, rounds, notes };
  }
}
