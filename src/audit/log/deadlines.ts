// Deadlines of the phases that decide who is left out (P1 to P3), as far as the log can prove them: the manifest's durations against the
// times at which U1, U2 and U3 were closed. Those times are the coordinator's, and `times.ts` holds them to the silos' clocks. Closing
// early without a silo is a finding once the silo takes part again: only who is proven wrong, and barred from then on, is not waited for.

import { equalBytes } from '../../base/index.js';
import { fromBitmap, type Plan } from '../../protocol/index.js';
import type { PhaseTimeouts } from '../../wire/index.js';
import { AUDIT_LIMITS } from '../limits.js';
import type { Ledger } from '../verdict.js';
import type { AttemptBook, JobBook, RoundBook } from './book.js';

/** One closing that left somebody out, or came late. */
interface Closing {
  readonly what: 'U1' | 'U2' | 'U3';
  readonly round: number;
  readonly attempt: number;
  readonly from: { readonly index: number; readonly at: number };
  readonly to: { readonly index: number; readonly at: number };
  readonly left: readonly string[];
  /** Whoever is missing may be left out after this long, and not before. */
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Closings named in a note. */
const NAMED = 5;

/** Findings and notes go to the ledger. */
export function checkDeadlines(ledger: Ledger, { manifest, rounds }: JobBook): void {
  const { timeouts } = manifest.message;
  // A manifest without them is refused when it is opened.
  if (timeouts === undefined) return;
  const ordered = [...rounds.values()].sort((a, b) => a.plan.round - b.plan.round);
  const early: Closing[] = [];
  const late: Closing[] = [];
  for (const round of ordered)
    for (const attempt of round.attempts.values())
      for (const closing of closingsOf(round, attempt, timeouts)) {
        ledger.count('deadlines');
        const took = closing.to.at - closing.from.at;
        if (took < closing.leastMs && closing.left.length > 0) early.push(closing);
        if (took > closing.mostMs + AUDIT_LIMITS.clockToleranceMs) late.push(closing);
      }
  const unproven = early.filter((closing) => !shown(ledger, manifest.jobId, closing, ordered));
  tell(ledger, unproven, (one) => `${placeOf(one)} without ${one.left.join(', ')} after ${tookWord(one)}`, {
    before: 'closed before the time was up, which is right only if these silos were barred',
    after: 'ask the coordinator for its evidence',
  });
  tell(ledger, late, (one) => `${placeOf(one)} after ${tookWord(one)}`, {
    before: 'closed long after the deadline',
    after: 'the coordinator had stopped, or waited',
  });
}

/** A silo that is in U1 again was not barred: it was left out against the rules. */
function shown(ledger: Ledger, jobId: string, closing: Closing, rounds: readonly RoundBook[]): boolean {
  for (const silo of closing.left) {
    const again = laterIn(rounds, closing, silo);
    if (again === undefined) continue;
    ledger.found(
      `job ${jobId} round ${String(closing.round)}`,
      'verify/closed-early',
      `${closing.what} of attempt ${String(closing.attempt)} was closed without ${silo} ${tookWord(closing)} after its beginning; the manifest gives a silo ${String(closing.leastMs)} ms, and ${silo} was not barred: it takes part again later.`,
      [closing.from.index, closing.to.index, again],
    );
    return true;
  }
  return false;
}

/** Index of the T1 of a later attempt that has this silo in U1. */
function laterIn(rounds: readonly RoundBook[], closing: Closing, silo: string): number | undefined {
  for (const { plan, attempts } of rounds)
    for (const { t1 } of attempts.values())
      if (t1 !== undefined && t1.index > closing.to.index && membersOf(plan, t1.members).includes(silo))
        return t1.index;
  return undefined;
}

function* closingsOf(round: RoundBook, attempt: AttemptBook, timeouts: PhaseTimeouts): Generator<Closing> {
  const { plan } = round;
  const { start, t1, t2, t3 } = attempt;
  const about = { round: plan.round, attempt: start.entry.attempt };
  const least = (limit: number): number => Math.min(limit, timeouts.absentAfterMs);
  if (t1 === undefined) return;
  const u1 = membersOf(plan, t1.members);
  const begun = { index: start.index, at: start.entry.recordedAt };
  const { advertiseMs, shareMs, maskMs } = timeouts;
  yield {
    ...about,
    what: 'U1',
    from: begun,
    to: t1,
    left: missing(plan.cohort, u1, attempt, t1.index),
    leastMs: least(advertiseMs),
    mostMs: advertiseMs,
  };
  if (t2 === undefined) return;
  const u2 = membersOf(plan, t2.members);
  yield {
    ...about,
    what: 'U2',
    from: t1,
    to: t2,
    // A dealer against whom a complaint was made is left out by what it answered, not by a clock.
    left: attempt.complaints > 0 ? [] : missing(u1, u2, attempt, t2.index),
    leastMs: least(shareMs),
    // Dealing and checking have the same time each.
    mostMs: 2 * shareMs,
  };
  if (t3 === undefined || !equalBytes(t3.message.t2, t2.transcript)) return;
  yield {
    ...about,
    what: 'U3',
    from: t2,
    to: { index: t3.index, at: t3.entry.recordedAt },
    left: missing(u2, membersOf(plan, t3.message.survivors), attempt, t3.index),
    leastMs: least(maskMs),
    mostMs: maskMs,
  };
}

function membersOf({ cohort, n }: Plan, bitmap: Uint8Array): string[] {
  return (fromBitmap(bitmap, n) ?? []).flatMap((index) => cohort[index] ?? []);
}

/** Who was expected, has not come, and had not left by a message of its own. */
function missing(
  expected: readonly string[],
  there: readonly string[],
  { left }: AttemptBook,
  before: number,
): string[] {
  return expected.filter((silo) => !there.includes(silo) && !((left.get(`silo/${silo}`) ?? Infinity) < before));
}

function placeOf({ what, round, attempt }: Closing): string {
  return `${what} of round ${String(round)} attempt ${String(attempt)}`;
}

function tookWord({ from, to }: Closing): string {
  return `${String(to.at - from.at)} ms`;
}

function tell(
  ledger: Ledger,
  closings: readonly Closing[],
  word: (one: Closing) => string,
  { before, after }: { readonly before: string; readonly after: string },
): void {
  if (closings.length === 0) return;
  const more = closings.length > NAMED ? ` and ${String(closings.length - NAMED)} more` : '';
  ledger.notes.push(`${before}: ${closings.slice(0, NAMED).map(word).join('; ')}${more}; ${after}.`);
}
