// Signatures on checkpoints: a note is shown several times, with more cosignatures each time, and each signature is verified once.

import { LIMITS } from '../../base/index.js';
import { SIGNATURE_BYTES, verifyNoteSignature, VERIFYING_KEY_BYTES } from '../../crypto/index.js';
import type { NoteVerifier } from '../../transcript/index.js';
import type { Roster } from '../roster.js';
import { ValidBefore } from '../valid-before.js';

/** One memory for each roster as it was read: whoever shares a process verifies for itself. */
const memories = new WeakMap<Roster, ValidBefore>();

/** Answers as `verify` does, and calls it only for what it has not found valid before. */
export function verifierFor(roster: Roster, verify: NoteVerifier = verifyNoteSignature): NoteVerifier {
  const known = memories.get(roster) ?? new ValidBefore(LIMITS.verifiedNoteSignatures);
  memories.set(roster, known);
  return (publicKey, message, signature) =>
    publicKey.length === VERIFYING_KEY_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    known.check([publicKey, signature, message], () => verify(publicKey, message, signature));
}
