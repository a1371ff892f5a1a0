// One job from its manifest to its last round: what the log says, what the transcripts give, and how one follows from the other.

import { equalBytes, hex } from '../../base/index.js';
import { lastRound, NO_PREVIOUS, Refusal, rollbackHash, type Roster } from '../../protocol/index.js';
import { Outcome } from '../../wire/index.js';
import type { BundleReader } from '../bundle/reader.js';
import type { DecidedRollback, JobBook, RoundBook, Terminal } from '../log/book.js';
import { checkDeadlines } from '../log/deadlines.js';
import { VerifyError } from '../errors.js';
import { PART } from '../parts.js';
import type { LogTree } from '../log/tree.js';
import type { Ledger, RoundLine } from '../verdict.js';
import { checkReactions, type Reactions } from './reactions.js';
import { checkAdvertised, checkStart } from './rests.js';
import { ModelChain, type FinishedStatistics } from './state.js';
import { checkRound } from './transcript.js';
import { checkVectors } from './vectors.js';

export interface Audit {
  readonly roster: Roster;
  readonly bundle: BundleReader;
  readonly ledger: Ledger;
  readonly tree: LogTree;
}

/** What the audit of another job leaves: its sum, or nothing because it has findings of its own. */
export type Standardisation = FinishedStatistics | 'none' | 'failed';

/** Findings go to the ledger. Returns what a statistics job leaves. */
export function checkJob(audit: Audit, book: JobBook, standardisation: Standardisation): Standardisation {
  const { ledger, bundle } = audit;
  const { manifest, rounds } = book;
  const { jobId } = manifest;
  // After a finding nothing is known of the models that follow: rounds are checked one by one, the chain no further.
  let chain =
    standardisation === 'failed'
      ? undefined
      : ledger.check(`job ${jobId}`, () => new ModelChain(bundle, manifest, standardisation, basesOf(book)));
  checkDeadlines(ledger, book);
  let previous: Uint8Array = NO_PREVIOUS;
  let left: Standardisation = 'failed';
  let ended = 0;
  /** Whether the job's own rule has ended it. */
  const rule = { stopped: false };
  for (const [number, round] of [...rounds].sort(([a], [b]) => a - b)) {
    const where = `job ${jobId} round ${String(number)}`;
    for (const attempt of round.attempts.values())
      ledger.check(where, () => checkStart(audit.tree, ledger, attempt, rounds.get(number - 1)), [attempt.start.index]);
    const work = (): RoundLine => {
      if (rule.stopped && !book.rollbacks.some(({ afterRound }) => afterRound === number - 1))
        throw new Refusal('plan/round-limit', `the rule of job ${jobId} ended it after round ${String(ended)}.`);
      for (const one of book.rollbacks) if (one.afterRound === number - 1) previous = rolledBack(one, previous, chain);
      demandChain(round, previous, chain);
      if (round.terminal === undefined) return openLine(audit, round);
      const { line, finished, endsJob } = closedRound(audit, book, { ...round, terminal: round.terminal }, chain);
      left = finished ?? 'failed';
      rule.stopped = endsJob === true;
      return line;
    };
    const line = ledger.check(where, work, [round.index]);
    ledger.count('rounds');
    if (line === undefined) chain = undefined;
    else ledger.rounds.push(line);
    chain?.keep(number);
    if (round.terminal === undefined) continue;
    previous = round.terminal.hash;
    ended = number;
  }
  const last = lastRound(manifest);
  // Before its end, the model that was handed out may be younger than the checkpoint.
  if (rule.stopped)
    ledger.notes.push(`job ${jobId} was ended by its own rule after round ${String(ended)} of ${String(last)}.`);
  if (rule.stopped || ended === last) ledger.check(`job ${jobId}`, () => chain?.checkFinal(bundle));
  else ledger.notes.push(`job ${jobId} had come to round ${String(ended)} of ${String(last)} at this checkpoint.`);
  return left;
}

/** Rounds whose model a decision goes back to. */
function basesOf({ rollbacks }: JobBook): ReadonlySet<number> {
  return new Set(rollbacks.map(({ decision }) => decision.baseRound));
}

/** What the next plan follows from, after a vote that follows the last end. Throws Refusal `vote/invalid`. */
function rolledBack(
  { decision, index }: DecidedRollback,
  previous: Uint8Array,
  chain: ModelChain | undefined,
): Uint8Array {
  if (!equalBytes(decision.afterHash, previous))
    throw new Refusal('vote/invalid', `entry ${String(index)} decides to go back from another end than the last one.`);
  chain?.goBack(decision.baseRound, decision.baseModelHash);
  return rollbackHash(decision);
}

function demandChain({ plan }: RoundBook, previous: Uint8Array, chain: ModelChain | undefined): void {
  if (!equalBytes(plan.previousResultHash, previous))
    throw new Refusal(
      'plan/previous-result',
      `round ${String(plan.round)} follows ${hex(plan.previousResultHash)}, the round before ended with ${hex(previous)}.`,
    );
  if (chain !== undefined && !equalBytes(plan.modelHash, chain.hash))
    throw new Refusal(
      'plan/model-mismatch',
      `round ${String(plan.round)} starts from the model ${hex(plan.modelHash)}, the rounds before give ${hex(chain.hash)}.`,
    );
}

function openLine({ ledger }: Audit, round: RoundBook): RoundLine {
  const { plan, attempts } = round;
  ledger.notes.push(`round ${String(plan.round)} of ${plan.jobId} was open at this checkpoint.`);
  return lineOf(round, { outcome: 'open', attempt: attempts.size });
}

interface Closed {
  readonly line: RoundLine;
  readonly finished?: FinishedStatistics;
  readonly endsJob?: boolean;
}

function closedRound(
  audit: Audit,
  { manifest, rounds }: JobBook,
  round: RoundBook & { readonly terminal: Terminal },
  chain: ModelChain | undefined,
): Closed {
  const { ledger, bundle, tree } = audit;
  const { plan, terminal, attempts } = round;
  const where = `job ${plan.jobId} round ${String(plan.round)}`;
  const reactions = (outcome: 'applied' | 'rejected' | 'abandoned', model: Uint8Array) =>
    ledger.check(where, () => checkReactions(audit, manifest.silos, round, { terminal, outcome, model }));
  if (terminal.result === undefined) {
    const model = plan.modelHash;
    const said = reactions('abandoned', model);
    const about = { outcome: 'abandoned', attempt: attempts.size, model, terminal: terminal.hash } as const;
    return { line: lineOf(round, about, said) };
  }
  const gone = round.erased.get('erase-vectors');
  if (gone !== undefined && !bundle.has(PART.transcript(plan.jobId, plan.round)))
    throw new VerifyError(
      'verify/erased',
      `sums and transcript of round ${String(plan.round)} were erased, as entry ${String(gone)} of the log says.`,
      [gone],
    );
  const checked = checkRound(audit, manifest, round, { ...terminal, result: terminal.result });
  const start = attempts.get(terminal.attempt);
  if (start !== undefined) {
    const rests = checkStart(tree, ledger, start, rounds.get(plan.round - 1));
    checkAdvertised(tree, ledger, rests, checked.keys.members.values(), start.t1?.index ?? terminal.index);
  }
  const opened = checkVectors(bundle, ledger, checked, round.erased);
  const claimed = checked.claimedOutcome === Outcome.OUTCOME_APPLIED ? 'applied' : 'rejected';
  const outcome = chain?.advance(checked, opened) ?? claimed;
  const model = checked.claimedModelHash;
  const said = reactions(outcome, model);
  const survivors = checked.survivors.members.size;
  const about = { outcome, attempt: terminal.attempt, survivors, terminal: terminal.hash, model };
  const line = lineOf(round, about, said);
  return outcome === 'applied'
    ? { line, finished: { manifest, resultHash: terminal.hash, opened, survivors }, endsJob: checked.claimedEnd }
    : { line };
}

/** One row of the table that people read. */
function lineOf(
  { plan }: RoundBook,
  about: Partial<RoundLine> & Pick<RoundLine, 'outcome' | 'attempt'>,
  said?: Reactions,
): RoundLine {
  const { jobId, round, n, t } = plan;
  const nothing = { survivors: 0, terminal: new Uint8Array(), model: new Uint8Array() };
  const [acks, disputes] = [said?.acks.size ?? 0, said?.disputes.size ?? 0];
  return { job: jobId, round, cohort: n, threshold: t, ...nothing, acks, disputes, ...about };
}
