// Signatures on checkpoints that were found valid before. A note is shown several times, with more cosignatures each time: each
// signature is verified once. What did not verify is not remembered, so that nothing a peer invents takes a place.

import { concat, hex, LIMITS } from '../../base/index.js';
import { sha256, SIGNATURE_BYTES, verifyNoteSignature, VERIFYING_KEY_BYTES } from '../../crypto/index.js';
import type { NoteVerifier } from '../../transcript/index.js';
import type { Roster } from '../roster.js';

/** One memory for each roster as it was read: whoever shares a process verifies for itself. */
const memories = new WeakMap<Roster, Set<string>>();

/** Answers as `verify` does, and calls it only for what it has not found valid before. */
export function verifierFor(roster: Roster, verify: NoteVerifier = verifyNoteSignature): NoteVerifier {
  const known = memories.get(roster) ?? new Set();
  memories.set(roster, known);
  return (publicKey, message, signature) => {
    if (publicKey.length !== VERIFYING_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    const name = hex(sha256(concat(publicKey, signature, message)));
    if (known.has(name)) return true;
    if (!verify(publicKey, message, signature)) return false;
    known.add(name);
    if (known.size > LIMITS.verifiedNoteSignatures) forgetOldest(known);
    return true;
  };
}

/** A set keeps the order in which its members came. */
function forgetOldest(known: Set<string>): void {
  for (const oldest of known) {
    known.delete(oldest);
    return;
  }
}
