// Reading a job's entries in order: each must find before it what permits it. So the order of the log is checked by following it.

import { asSiloId, equalBytes, LIMITS } from '../../base/index.js';
import { hash, LABELS } from '../../crypto/index.js';
import { openAttempt, openManifest, openPlan, demandPlanFits, type Roster } from '../../protocol/index.js';
import {
  ActionStatement,
  Coverage,
  decode,
  type Abandon,
  type Ack,
  type Approval,
  type AttemptStart,
  type Dispute,
  type RoundResult,
} from '../../wire/index.js';
import { verified } from '../errors.js';
import type { Ledger } from '../verdict.js';
import { followAttempt } from './attempt.js';
import { samePlace } from './place.js';
import { newAttempt, newRound, type AttemptBook, type JobBook, type RoundBook } from './book.js';
import type { Logged } from './messages.js';
import type { Numbered } from './tree.js';
import { followVote } from './votes.js';

/** One after the other, every entry of one job. `logged`: the opened message, where the kind has one. */
export class JobFollower {
  book: JobBook | undefined;
  readonly #roster: Roster;
  readonly #ledger: Ledger;
  readonly #job: string;

  constructor(roster: Roster, ledger: Ledger, job: string) {
    this.#roster = roster;
    this.#ledger = ledger;
    this.#job = job;
  }

  /** Throws VerifyError, Refusal. */
  add(numbered: Numbered, logged: Logged | undefined): void {
    const { entry, index } = numbered;
    if (entry.kind === 'manifest' && logged !== undefined) this.#manifest(logged);
    else if (entry.kind === 'approval' && logged !== undefined) this.#approval(logged as Logged<Approval>);
    else if ((entry.kind === 'exclude' || entry.kind === 'rollback') && logged !== undefined)
      followVote(this.#known(index), logged);
    else if (entry.round > 0) {
      const book = this.#known(index);
      if (entry.kind === 'plan' && logged !== undefined) this.#plan(book, logged);
      else this.#inRound(this.#round(book, numbered), numbered, logged);
    }
  }

  #known(index: number): JobBook {
    verified(
      this.book !== undefined,
      'verify/entry-order',
      `entry ${String(index)} stands before the manifest of its job.`,
      [index],
    );
    return this.book;
  }

  #manifest(logged: Logged): void {
    const { index } = logged;
    verified(
      this.book === undefined,
      'verify/second-entry',
      `entry ${String(index)} is a second manifest of the job.`,
      [index],
    );
    const manifest = openManifest(this.#roster, logged.envelope);
    samePlace(manifest.jobId === this.#job, logged);
    const votes = { rollbackVotes: new Map(), rollbacks: [], excludeVotes: new Map() };
    this.book = { manifest, approvals: new Map(), decisions: new Map(), rounds: new Map(), ...votes };
  }

  #approval(logged: Logged<Approval>): void {
    const { message, entry } = logged;
    const book = this.#known(logged.index);
    samePlace(
      equalBytes(message.manifestHash, book.manifest.hash) && entry.subject === `silo/${message.siloId}`,
      logged,
    );
    const silo = asSiloId(message.siloId);
    const first = silo === undefined ? undefined : book.decisions.get(silo);
    verified(
      first === undefined,
      'verify/second-entry',
      `entry ${String(logged.index)} is a second decision of ${entry.subject} about the job.`,
      [first ?? logged.index, logged.index],
    );
    if (silo === undefined) return;
    book.decisions.set(silo, logged.index);
    if (!message.approved) return;
    book.approvals.set(silo, logged.index);
    this.#ledger.count('approvals');
  }

  #plan(book: JobBook, logged: Logged): void {
    const plan = openPlan(this.#roster, logged.envelope);
    const { index, entry } = logged;
    samePlace(plan.jobId === this.#job && plan.round === entry.round, logged);
    demandPlanFits(plan, book.manifest);
    const first = book.rounds.get(plan.round);
    verified(
      first === undefined,
      'verify/second-entry',
      `entry ${String(index)} is a second plan of round ${String(plan.round)}.`,
      [first?.index ?? index, index],
    );
    const before = book.rounds.get(plan.round - 1);
    verified(
      plan.round === 1 || before?.terminal !== undefined,
      'verify/entry-order',
      `round ${String(plan.round)} is planned before the round before it has an end.`,
      [index],
    );
    const stranger = plan.cohort.find((silo) => !book.approvals.has(silo));
    verified(
      stranger === undefined,
      'verify/entry-order',
      `${stranger ?? ''} is in the cohort of round ${String(plan.round)} and had not approved the job.`,
      [index],
    );
    book.rounds.set(plan.round, newRound(plan, index));
  }

  #round(book: JobBook, { entry, index }: Numbered): RoundBook {
    const round = book.rounds.get(entry.round);
    verified(
      round !== undefined,
      'verify/entry-order',
      `entry ${String(index)}, a ${entry.kind}, stands before the plan of round ${String(entry.round)}.`,
      [index],
    );
    return round;
  }

  #inRound(round: RoundBook, numbered: Numbered, logged: Logged | undefined): void {
    const { entry, index } = numbered;
    if (entry.kind === 'erasure') erased(round, numbered);
    else if (entry.kind === 'result' || entry.kind === 'abandon') {
      if (logged !== undefined) this.#terminal(round, logged);
    } else if (entry.kind === 'ack' || entry.kind === 'dispute') {
      if (logged !== undefined) reaction(round, logged as Logged<Ack> | Logged<Dispute>);
    } else if (entry.attempt > 0) {
      // Whoever acknowledges an Abandon says with an Abort that it will never release in that round.
      const afterwards = entry.kind === 'abort' && round.terminal?.result === undefined;
      verified(
        round.terminal === undefined || afterwards,
        'verify/entry-order',
        `entry ${String(index)}, a ${entry.kind}, stands behind the end of its round.`,
        [round.terminal?.index ?? index, index],
      );
      if (entry.kind === 'attempt') {
        if (logged !== undefined) this.#attempt(round, logged as Logged<AttemptStart>);
      } else {
        const manifest = this.#known(index).manifest;
        followAttempt({ manifest, round, attempt: attemptOf(round, numbered), ledger: this.#ledger }, numbered, logged);
      }
    }
  }

  #attempt(round: RoundBook, logged: Logged<AttemptStart>): void {
    const { index, entry } = logged;
    const { attempt } = openAttempt(this.#roster, logged.envelope, round.plan.rid);
    samePlace(attempt === entry.attempt, logged);
    const first = round.attempts.get(attempt);
    verified(
      first === undefined,
      'verify/second-entry',
      `entry ${String(index)} starts attempt ${String(attempt)} of round ${String(entry.round)} a second time.`,
      [first?.start.index ?? index, index],
    );
    verified(
      attempt === round.attempts.size + 1,
      'verify/entry-order',
      `attempt ${String(attempt)} of round ${String(entry.round)} does not follow the one before.`,
      [index],
    );
    round.attempts.set(attempt, newAttempt(logged));
    this.#ledger.count('attempts');
  }

  #terminal(round: RoundBook, logged: Logged): void {
    const { entry, index, payload, digest } = logged;
    const isResult = entry.kind === 'result';
    const message = logged.message as RoundResult & Abandon;
    samePlace(
      equalBytes(message.rid, round.plan.rid) &&
        (isResult ? message.attempt === entry.attempt : message.round === entry.round && message.jobId === this.#job),
      logged,
    );
    verified(
      round.terminal === undefined,
      'verify/second-terminal',
      `entry ${String(index)} closes round ${String(entry.round)} a second time; the first one, ${String(round.terminal?.index)}, counts.`,
      [round.terminal?.index ?? index, index],
    );
    const result = isResult ? (logged as Logged<RoundResult>) : undefined;
    if (result !== undefined) mayClose(round, result);
    const label = isResult ? LABELS.result : LABELS.abandon;
    round.terminal = { index, hash: hash(label, payload), digest, result, attempt: entry.attempt };
    this.#ledger.count(isResult ? 'results' : 'abandons');
  }
}

/** A result stands behind T3, the signatures of t survivors on it, and the releases of t silos. */
function mayClose(round: RoundBook, { index, entry, message }: Logged<RoundResult>): void {
  const attempt = round.attempts.get(entry.attempt);
  // Along a regular graph each secret needs its own neighbours: the openings in the result show those.
  const released = round.plan.graph === undefined ? round.plan.t : 1;
  verified(
    attempt?.t3 !== undefined && attempt.consistency.size >= round.plan.t && attempt.releases.size >= released,
    'verify/entry-order',
    `the result of round ${String(entry.round)} stands before the signatures of ${String(round.plan.t)} silos on its transcript, or before their releases.`,
    [index],
  );
  verified(
    equalBytes(message.t3, attempt.t3.t3),
    'verify/other-transcript',
    `the result of round ${String(entry.round)} names another T3 than the request in the log.`,
    [attempt.t3.index, index],
  );
}

function reaction(round: RoundBook, logged: Logged<Ack> | Logged<Dispute>): void {
  const { index, message, entry } = logged;
  const silo = asSiloId(entry.subject.slice('silo/'.length));
  verified(
    round.terminal !== undefined && silo !== undefined,
    'verify/entry-order',
    `entry ${String(index)}, an ${entry.kind}, stands before the end of its round.`,
    [index],
  );
  verified(
    equalBytes(message.resultHash, round.terminal.hash),
    'verify/ack',
    `entry ${String(index)}, an ${entry.kind} of ${entry.subject}, is about another end of round ${String(entry.round)} than the first.`,
    [round.terminal.index, index],
  );
  if (entry.kind === 'ack') round.acks.push(logged as Logged<Ack>);
  else round.disputes.push(logged as Logged<Dispute>);
}

/** How many distinct members have acknowledged, each having verified everything itself. */
function fullAcks({ plan, acks }: RoundBook): number {
  const full = acks.filter(({ message }) => message.coverage === Coverage.COVERAGE_FULL);
  const silos = new Set(full.map(({ entry }) => entry.subject.slice('silo/'.length)));
  return plan.cohort.filter((silo) => silos.has(silo)).length;
}

/** What silos may still have to verify a result from is not erased before a threshold has verified it. */
function erased(round: RoundBook, { entry, index }: Numbered): void {
  const { action } = decode(ActionStatement, 'statement', entry.body.bytes, LIMITS.logEntryBytes);
  verified(
    entry.subject === 'coordinator' &&
      round.terminal !== undefined &&
      (round.terminal.result === undefined || fullAcks(round) >= round.plan.t),
    'verify/entry-order',
    `entry ${String(index)} erases what belongs to round ${String(entry.round)} before ${String(round.plan.t)} silos have verified it.`,
    [index],
  );
  round.erased.set(action, index);
}

function attemptOf(round: RoundBook, { entry, index }: Numbered): AttemptBook {
  const attempt = round.attempts.get(entry.attempt);
  verified(
    attempt !== undefined,
    'verify/entry-order',
    `entry ${String(index)}, a ${entry.kind}, stands before attempt ${String(entry.attempt)} of round ${String(entry.round)}.`,
    [index],
  );
  return attempt;
}
