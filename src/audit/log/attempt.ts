// The entries of one attempt, from T1 to the releases, each behind what permits it.

import { equalBytes, hex } from '../../base/index.js';
import { deadAfterAborts, fromBitmap, shownTranscript3, type Manifest } from '../../protocol/index.js';
import {
  ClosingStatement,
  decode,
  type Abort,
  type Complaint,
  type Consistency,
  type ConsistencyRequest,
  type Decline,
  type Protest,
} from '../../wire/index.js';
import { verified } from '../errors.js';
import type { Ledger } from '../verdict.js';
import type { AttemptBook, RoundBook } from './book.js';
import type { Logged } from './messages.js';
import { samePlace } from './place.js';
import type { Numbered } from './tree.js';

interface Place {
  readonly manifest: Manifest;
  readonly round: RoundBook;
  readonly attempt: AttemptBook;
  readonly ledger: Ledger;
}

/** Throws VerifyError. */
export function followAttempt(place: Place, numbered: Numbered, logged: Logged | undefined): void {
  const { entry } = numbered;
  if (entry.kind === 't1' || entry.kind === 't2') closing(place, numbered, entry.kind);
  else if (entry.kind === 'release') release(place, numbered);
  else if (logged === undefined) return;
  else if (entry.kind === 't3') request(place, logged as Logged<ConsistencyRequest>);
  else if (entry.kind === 'consistency') consistency(place, logged as Logged<Consistency>);
  else other(place, logged);
}

function closing({ round, attempt }: Place, numbered: Numbered, kind: 't1' | 't2'): void {
  const { entry, index } = numbered;
  const statement = decode(ClosingStatement, 'closing statement', entry.body.bytes);
  samePlace(equalBytes(statement.rid, round.plan.rid), numbered);
  once(attempt[kind], numbered);
  verified(
    kind === 't1' ? attempt.t2 === undefined : attempt.t1 !== undefined,
    'verify/entry-order',
    `entry ${String(index)}: T2 stands behind T1.`,
    [index],
  );
  verified(attempt.t3 === undefined, 'verify/entry-order', `entry ${String(index)}, ${kind}, stands behind T3.`, [
    index,
  ]);
  attempt[kind] = { ...statement, index, at: entry.recordedAt };
}

function request({ round, attempt }: Place, logged: Logged<ConsistencyRequest>): void {
  const { message, index, entry } = logged;
  samePlace(equalBytes(message.rid, round.plan.rid) && message.attempt === entry.attempt, logged);
  once(attempt.t3, logged);
  verified(attempt.t2 !== undefined, 'verify/entry-order', `entry ${String(index)}: T3 stands before T2.`, [index]);
  verified(
    equalBytes(message.t2, attempt.t2.transcript),
    'verify/other-transcript',
    `entry ${String(index)} rests on another T2 than the one that was closed.`,
    [attempt.t2.index, index],
  );
  // Whether headers and survivors fit is checked with the transcript.
  const t3 = shownTranscript3(message);
  verified(
    t3 !== undefined,
    'verify/other-transcript',
    `entry ${String(index)} names survivors and masked headers that give no T3.`,
    [index],
  );
  attempt.t3 = { ...logged, t3 };
}

function consistency({ round, attempt }: Place, logged: Logged<Consistency>): void {
  const { message, index, entry } = logged;
  verified(
    attempt.t3 !== undefined,
    'verify/entry-order',
    `entry ${String(index)}: ${entry.subject} signed T3 before it was announced.`,
    [index],
  );
  const first = attempt.consistency.get(entry.subject);
  verified(
    first === undefined || equalBytes(first.digest, logged.digest),
    'verify/second-consistency',
    `${entry.subject} signed two transcripts in attempt ${String(entry.attempt)} of round ${String(entry.round)}.`,
    [first?.index ?? index, index],
  );
  const survivors = fromBitmap(attempt.t3.message.survivors, round.plan.n) ?? [];
  samePlace(
    equalBytes(message.t3, attempt.t3.t3) &&
      survivors.includes(message.index) &&
      `silo/${round.plan.cohort[message.index] ?? ''}` === entry.subject,
    logged,
  );
  attempt.consistency.set(entry.subject, logged);
}

function release({ manifest, round, attempt }: Place, numbered: Numbered): void {
  const { entry, index } = numbered;
  const { n, t, cohort, graph } = round.plan;
  verified(
    attempt.consistency.size >= t,
    'verify/entry-order',
    `entry ${String(index)}: ${entry.subject} released shares when ${String(attempt.consistency.size)} silos had signed, ${String(t)} are needed.`,
    [index],
  );
  const dealers = fromBitmap(attempt.t2?.members ?? new Uint8Array(), n) ?? [];
  samePlace(
    dealers.some((dealer) => `silo/${cohort[dealer] ?? ''}` === entry.subject),
    numbered,
  );
  const first = attempt.releases.get(entry.subject);
  // The same one twice is the coordinator's doing, another one the silo's.
  if (first !== undefined && equalBytes(first.digest, entry.body.bytes)) once(first, numbered);
  verified(
    first === undefined,
    'verify/second-release',
    `${entry.subject} released twice in attempt ${String(entry.attempt)} of round ${String(entry.round)}.`,
    [first?.index ?? index, index],
  );
  for (const [number, earlier] of round.attempts) {
    const before = number < entry.attempt ? earlier.releases.get(entry.subject) : undefined;
    if (before === undefined) continue;
    const dead = abortsFrom(round, number);
    const needed = deadAfterAborts(n, manifest.maxMalicious, graph);
    verified(
      dead >= needed,
      'verify/second-release',
      `${entry.subject} released in attempts ${String(number)} and ${String(entry.attempt)} of round ${String(entry.round)}; ${String(dead)} silos had aborted, ${String(needed)} are needed.`,
      [before.index, index],
    );
  }
  attempt.releases.set(entry.subject, { index, digest: entry.body.bytes });
}

/** Distinct members that have aborted this attempt or a later one, which covers it. */
function abortsFrom({ aborts }: RoundBook, attempt: number): number {
  const silos = new Set<string>();
  for (const [number, members] of aborts) if (number >= attempt) for (const silo of members) silos.add(silo);
  return silos.size;
}

function other({ round, attempt }: Place, logged: Logged): void {
  const { entry } = logged;
  const { cohort, rid } = round.plan;
  samePlace(
    cohort.some((silo) => `silo/${silo}` === entry.subject),
    logged,
  );
  saidOnce(round, attempt, logged);
  if (entry.kind === 'abort') {
    const message = logged.message as Abort;
    samePlace(
      equalBytes(message.rid, rid) && message.attempt === entry.attempt && message.jobId === round.plan.jobId,
      logged,
    );
    const members = round.aborts.get(entry.attempt) ?? new Set<string>();
    round.aborts.set(entry.attempt, members.add(entry.subject));
    leave(attempt, logged);
  } else if (entry.kind === 'decline') {
    const message = logged.message as Decline;
    samePlace(equalBytes(message.rid, rid) && message.attempt === entry.attempt, logged);
    leave(attempt, logged);
  } else if (entry.kind === 'protest') {
    const message = logged.message as Protest;
    samePlace(attempt.t2 !== undefined && equalBytes(message.t2, attempt.t2.transcript), logged);
  } else if (entry.kind === 'complaint' || entry.kind === 'answer') {
    // Both begin with T1 and the index of their signer.
    const message = logged.message as Complaint;
    samePlace(
      attempt.t1 !== undefined &&
        equalBytes(message.t1, attempt.t1.transcript) &&
        `silo/${cohort[message.index] ?? ''}` === entry.subject,
      logged,
    );
    attempt.complaints++;
  }
}

/** A silo declines and protests once, complains of a dealer once, and aborts once before an Abandon and once because of it. */
function saidOnce({ terminal }: RoundBook, { said }: AttemptBook, logged: Logged): void {
  const { entry, digest } = logged;
  const several = entry.kind === 'complaint' || entry.kind === 'answer';
  const occasion = several ? hex(digest) : entry.kind === 'abort' && terminal !== undefined ? 'closing' : '';
  const name = `${entry.kind} ${entry.subject} ${occasion}`;
  once(said.get(name), logged);
  said.set(name, logged);
}

function leave({ left }: AttemptBook, { entry, index }: Logged): void {
  if (!left.has(entry.subject)) left.set(entry.subject, index);
}

function once(first: { readonly index: number } | undefined, { entry, index }: Numbered): void {
  verified(
    first === undefined,
    'verify/second-entry',
    `entry ${String(index)} is a second ${entry.kind} of attempt ${String(entry.attempt)} of round ${String(entry.round)}.`,
    [first?.index ?? index, index],
  );
}
