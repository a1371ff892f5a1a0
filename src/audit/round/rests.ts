// The checkpoints that messages name: each must be a part of this log, and an attempt rests on one that was read by whoever took part.

import { equalBytes, hex } from '../../base/index.js';
import { headOf, Refusal, type LogHead } from '../../protocol/index.js';
import type { AttemptBook, RoundBook } from '../log/book.js';
import type { LogTree } from '../log/tree.js';
import type { Ledger } from '../verdict.js';

/** `at`: index of the entry that names it. Throws Refusal `log/note`, `log/fork`. */
export function checkNamed(tree: LogTree, ledger: Ledger, who: string, body: Uint8Array, at: number): LogHead {
  const head = headOf(body);
  if (head.size > at || !equalBytes(tree.root(head.size), head.root))
    throw new Refusal(
      'log/fork',
      `${who} names a checkpoint of size ${String(head.size)} with the root ${hex(head.root)}, which is not one of this log.`,
    );
  ledger.count('checkpoints');
  return head;
}

/** Throws Refusal `log/fork`, `log/not-logged`. */
export function checkStart(
  tree: LogTree,
  ledger: Ledger,
  attempt: AttemptBook,
  before: RoundBook | undefined,
): LogHead {
  const { message, index, entry } = attempt.start;
  const head = checkNamed(tree, ledger, `attempt ${String(message.attempt)}`, message.checkpoint, index);
  if (before?.terminal !== undefined && before.terminal.index >= head.size)
    throw new Refusal(
      'log/not-logged',
      `attempt ${String(message.attempt)} of round ${String(entry.round)} rests on a checkpoint of ${String(head.size)} entries, which does not hold the end of the round before.`,
    );
  return head;
}

/** Throws Refusal `log/fork`, `log/unread`. */
export function checkAdvertised(
  tree: LogTree,
  ledger: Ledger,
  rests: LogHead,
  advertised: Iterable<{ readonly index: number; readonly checkpoint: Uint8Array }>,
  closedAt: number,
): void {
  for (const { index, checkpoint } of advertised) {
    const head = checkNamed(tree, ledger, `member ${String(index)}`, checkpoint, closedAt);
    if (head.size < rests.size)
      throw new Refusal(
        'log/unread',
        `member ${String(index)} had read ${String(head.size)} entries, the attempt rests on ${String(rests.size)}.`,
      );
  }
}
