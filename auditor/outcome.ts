// How commands end: one line for a person, or JSON, and an exit code for a script.

import { CommanderError } from 'commander';
import { isCodedError, type CodedError } from '../src/base/index.js';
import { VERIFY_ERRORS } from '../src/audit/index.js';
import { ConfigError } from '../src/config/index.js';
import { JOB_ERRORS, JobError } from '../src/job/index.js';
import { MODEL_ERRORS, ModelError } from '../src/model/index.js';
import { PKI_ERRORS, PkiError } from '../src/pki/index.js';
import { PRIVACY_ERRORS, PrivacyError } from '../src/privacy/index.js';
import { PROTOCOL_ERRORS } from '../src/protocol/index.js';
import { EXIT, exitCodeFor, SYSTEM_ERRORS, SystemError, type ExitCode } from '../src/system/index.js';
import { AuditError } from './errors.js';
import { jsonLine, type Terminal } from './terminal.js';

export function exitCodeOf(cause: unknown): ExitCode {
  // Commander throws for --help as well, with exit code 0.
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (isUsage(cause)) return EXIT.usage;
  if (isCodedError(cause) && cause.code === 'transport/cancelled') return EXIT.interrupted;
  return exitCodeFor(cause);
}

/** Files that this machine has, and what stands in them. What the coordinator refuses comes as a plain CodedError. */
function isUsage(cause: unknown): boolean {
  if (cause instanceof AuditError) return cause.isUsage;
  if (cause instanceof SystemError) return cause.code !== 'system/io' && cause.code !== 'system/no-space';
  if (cause instanceof JobError) return cause.code !== 'job/bad-sum';
  // The roster file is not the pinned one, or is none.
  if (isCodedError(cause) && cause.code.startsWith('roster/')) return true;
  return (
    cause instanceof ConfigError ||
    cause instanceof PkiError ||
    cause instanceof ModelError ||
    cause instanceof PrivacyError
  );
}

export function report(terminal: Terminal, cause: unknown, json: boolean): void {
  // Commander has already written its own message.
  if (cause instanceof CommanderError) return;
  if (json) {
    terminal.note(jsonLine({ error: errorJson(cause), exitCode: exitCodeOf(cause) }));
    return;
  }
  const text = isCodedError(cause) ? describe(cause) : `unexpected: ${messageOf(cause)}`;
  // Lists of problems have lines of their own.
  for (const line of text.split('\n')) terminal.note(line);
}

/** Errors that bring no remedy of their own have the line of their room's registry. */
function describe(error: CodedError): string {
  const meaning = MEANINGS.get(error.code);
  return error.remedy === undefined && meaning !== undefined
    ? `${error.describe()} What it means: ${meaning}`
    : error.describe();
}

/** One line on each code that a command may print. */
export const MEANINGS: ReadonlyMap<string, string> = new Map(
  [PROTOCOL_ERRORS, VERIFY_ERRORS, JOB_ERRORS, MODEL_ERRORS, PKI_ERRORS, PRIVACY_ERRORS, SYSTEM_ERRORS].flatMap(
    (room) => Object.entries(room),
  ),
);

function errorJson(cause: unknown) {
  if (!isCodedError(cause)) return { code: 'unexpected', message: messageOf(cause), remedy: null };
  return { code: cause.code, message: cause.message, remedy: cause.remedy ?? MEANINGS.get(cause.code) ?? null };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'something that is no error was thrown';
}
