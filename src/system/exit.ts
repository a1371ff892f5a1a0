// How every Veilsum program ends. Scripts and service managers may rely on these numbers; docs/operations.md lists them.

import { isCodedError } from '../base/index.js';

export const EXIT = {
  /** The command did what it was asked to do; a service stopped in good order. */
  ok: 0,
  /** Something failed that none of the other codes names. */
  failed: 1,
  /** The command line or the configuration is wrong: starting again unchanged will not help. */
  usage: 2,
  /** The peer could not be reached: starting again later may help. */
  unreachable: 3,
  /** The peer, or this side's own policy, said no. */
  refused: 4,
  /** Stored state is damaged or of an unknown format: a person has to look before the next start. */
  storageDamaged: 5,
  /** A second signal, or the bound on a graceful shutdown, ended the process early. What was acknowledged is durable. */
  interrupted: 6,
  /** An audit found a contradiction (veilsum-audit verify: FAIL). */
  auditFailed: 7,
  /** An audit found no contradiction, and something is missing (INCOMPLETE). */
  auditIncomplete: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_ROOM: ReadonlyMap<string, ExitCode> = new Map([
  ['config', EXIT.usage],
  ['storage', EXIT.storageDamaged],
]);

/** How a program ends after an error: by its room where that decides, otherwise by what kind of no it is. */
export function exitCodeFor(error: unknown): ExitCode {
  if (!isCodedError(error)) return EXIT.failed;
  if (error.code.endsWith('/journal-mismatch')) return EXIT.storageDamaged;
  // A database that is away, or led by another: nothing is damaged.
  if (error.category === 'unavailable') return EXIT.unreachable;
  const byRoom = BY_ROOM.get(error.code.split('/')[0] ?? '');
  // What the store refuses for another reason than what is in it has a category of its own.
  if (byRoom !== undefined && (byRoom !== EXIT.storageDamaged || error.category === 'internal')) return byRoom;
  if (error.code === 'storage/bad-database') return EXIT.usage;
  return error.category === 'internal' ? EXIT.failed : EXIT.refused;
}

/** What a program prints on standard error before it ends: code, message and remedy; the stack only of what is our fault. */
export function failureText(error: unknown): string {
  if (isCodedError(error)) return error.describe();
  return `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : 'no error object'}`;
}
