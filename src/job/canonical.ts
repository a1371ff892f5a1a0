// The opaque parts of a manifest are approved by hash, so they must hold nothing that this version does not read: a field that one
// version ignores and another obeys would be two jobs under one hash. Bytes that are not exactly what this version writes are refused.

import { LIMITS, equalBytes } from '../base/index.js';
import { decode, encode, WireError, type MessageType } from '../wire/index.js';
import { JobError, type JobErrorCode } from './errors.js';

/** Throws JobError `code` on bytes that do not parse, or that say more than this version reads. */
export function decodeCanonical<T>(type: MessageType<T>, what: string, bytes: Uint8Array, code: JobErrorCode): T {
  const message = parse(type, what, bytes, code);
  if (!equalBytes(encode(type, message), bytes))
    throw new JobError(
      code,
      `the ${what} holds fields or an encoding that this version does not write, and nothing may be approved unread.`,
    );
  return message;
}

function parse<T>(type: MessageType<T>, what: string, bytes: Uint8Array, code: JobErrorCode): T {
  try {
    return decode(type, what, bytes, LIMITS.manifestBytes);
  } catch (cause) {
    if (cause instanceof WireError) throw new JobError(code, cause.message);
    throw cause;
  }
}
