// The roster as this side reads it: its signatures are verified with the implementation of Ed25519 that silos and coordinator do not use.

import { LIMITS } from '../src/base/index.js';
import { verifySignatureIndependently } from '../src/crypto/index.js';
import { readRoster, type Roster } from '../src/protocol/index.js';
import { readSmallFile } from '../src/system/index.js';
import { WireError } from '../src/wire/index.js';
import { AuditError } from './errors.js';

/** `pinned`: the hash that it must have. Throws SystemError, AuditError `audit/not-a-roster`, Refusal `roster/…`. */
export async function readRosterBin(file: string, pinned?: Uint8Array): Promise<Roster> {
  return checkedRoster(await readSmallFile(file, LIMITS.manifestBytes), file, pinned);
}

/** `file`: where the bytes are from, for messages. */
export function checkedRoster(bytes: Uint8Array, file: string, pinned?: Uint8Array): Roster {
  try {
    return readRoster(bytes, pinned, verifySignatureIndependently);
  } catch (cause) {
    if (cause instanceof WireError) throw new AuditError('audit/not-a-roster', `${file}: ${cause.message}`, cause);
    throw cause;
  }
}
