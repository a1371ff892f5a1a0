// Errors have stable codes. Each room owns a closed registry of them (its `errors.ts`); docs/errors.md lists all, and a test keeps
// the two equal. A message says what was expected, what came, and what to do; it never carries secrets, records or model values.

import { printable } from './printable.js';

/** Characters of a message: it quotes what came, and what came may be a megabyte. */
const MESSAGE_MAX = 16_384;

/**
 * What kind of no it is, for whoever translates errors at an edge (transport/status.ts to gRPC, programs to exit codes):
 * `state` right message at the wrong time; `content` wrong bytes; `membership` not one of us; `identity` not who it says, or nobody;
 * `limit` too much; `missing` no such thing; `unavailable` try again later; `internal` ours, without detail to the peer.
 */
export type ErrorCategory =
  | 'state'
  | 'content'
  | 'membership'
  | 'identity'
  | 'limit'
  | 'missing'
  | 'unavailable'
  | 'internal';

export interface ErrorContext {
  /** `internal` unless said otherwise. */
  readonly category?: ErrorCategory;
  /** What the reader can do about it, in one sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * An error a person can act on. `Code` is a room's closed union of codes, spelled `room/what-happened`. Messages end up in logs and on
 * terminals and quote text of others, so they are made printable here, once for all.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: string | undefined;
  readonly category: ErrorCategory;

  constructor(code: Code, message: string, context: ErrorContext = {}) {
    super(printable(message, MESSAGE_MAX), context.cause === undefined ? {} : { cause: context.cause });
    this.name = 'CodedError';
    this.code = code;
    this.remedy = context.remedy;
    this.category = context.category ?? 'internal';
  }

  /** `code: message (remedy)`, the form in which programs print it. */
  describe(): string {
    const end = /[.!?…:]$/.test(this.message) ? '' : '.';
    return `${this.code}: ${this.message}${this.remedy === undefined ? '' : `${end} What to do: ${this.remedy}`}`;
  }
}

/** True for every room's errors. */
export function isCodedError(error: unknown): error is CodedError {
  return error instanceof CodedError;
}

/** A registry of codes with one line each on what they mean; `defineErrors` only fixes the type. */
export function defineErrors<const T extends Readonly<Record<string, string>>>(codes: T): T {
  return codes;
}
