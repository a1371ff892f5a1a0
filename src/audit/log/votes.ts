// Votes of silos' operators as the log holds them (docs/protocol.md §2.9): each is one silo's, and enough of them decide.

import { asSiloId, type SiloId } from '../../base/index.js';
import { decisionName, openExclude, openRollback, votesNeeded } from '../../protocol/index.js';
import { verified } from '../errors.js';
import type { JobBook } from './book.js';
import type { Logged } from './messages.js';

/** Throws Refusal `vote/invalid`, VerifyError `verify/entry-order`. */
export function followVote(book: JobBook, logged: Logged): void {
  const { entry, envelope, index } = logged;
  const voter = asSiloId(entry.subject.slice('silo/'.length)) ?? ('' as SiloId);
  const { manifest } = book;
  if (entry.kind === 'exclude') {
    const { excluded } = openExclude(manifest, voter, envelope);
    book.excludeVotes.set(excluded, (book.excludeVotes.get(excluded) ?? new Set()).add(voter));
    return;
  }
  const vote = openRollback(manifest, voter, envelope);
  const name = decisionName(vote);
  const voters = (book.rollbackVotes.get(name) ?? new Set()).add(voter);
  book.rollbackVotes.set(name, voters);
  if (voters.size !== votesNeeded(manifest)) return;
  const last = book.rounds.get(book.rounds.size);
  verified(
    last === undefined || last.terminal !== undefined,
    'verify/entry-order',
    `entry ${String(index)} decides to go back while round ${String(book.rounds.size)} is open.`,
    [index],
  );
  book.rollbacks.push({ decision: vote, index, afterRound: book.rounds.size });
}
