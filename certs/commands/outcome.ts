// How commands end: one line for a person, an exit code for a script.

import { CommanderError, InvalidArgumentError } from 'commander';
import { CodedError, isCodedError } from '../../src/base/index.js';
import type { ExitCode } from '../../src/system/index.js';
import { EXIT } from '../../src/system/index.js';

/** Codes that a better command line cures; everything else is a failure of the machine or of a file. */
const USAGE: ReadonlySet<string> = new Set([
  'pki/bad-name',
  'pki/bad-lifetime',
  'pki/bad-host',
  'pki/authority-exists',
  'pki/rollover-order',
  'system/exists',
  'system/not-found',
]);

export function exitCodeOf(cause: unknown): ExitCode {
  // Commander throws for --help as well, with exit code 0.
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!isCodedError(cause)) return EXIT.failed;
  return USAGE.has(cause.code) || cause.code.startsWith('config/') ? EXIT.usage : EXIT.failed;
}

export function report(cause: unknown): void {
  // Commander has already written its own message.
  if (cause instanceof CommanderError) return;
  if (cause instanceof CodedError) console.error(cause.describe());
  else console.error(cause instanceof Error ? `unexpected: ${cause.message}` : 'unexpected failure');
}

/** For options whose value is wrong: commander prints it with the option's name. */
export function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 to 999999.');
  return Number(text);
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
