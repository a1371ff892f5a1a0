// Cosignatures (C2SP tlog-cosignature, `cosignature/v1`): a witness says that at a time this was the largest consistent checkpoint of
// the log that it had seen.

import { concat, fromU64be, u64be, utf8 } from '../../base/index.js';
import { SIGNATURE_BYTES, verifyNoteSignature, type SigningKey } from '../../crypto/index.js';
import type { NoteVerifier } from './checkpoint.js';
import { keyId, type NoteKey } from './key.js';
import type { NoteSignature } from './note.js';

const TIME_BYTES = 8;

/** The witness's signature line for the checkpoint of this note text. `atSeconds` since 1970, by the witness's own clock. */
export function cosign(text: string, name: string, key: SigningKey, atSeconds: number): NoteSignature {
  const signature = key.signNote(cosignedMessage(text, atSeconds));
  return {
    name,
    keyId: keyId('cosignature', { name, key: key.publicKey }),
    signature: concat(u64be(atSeconds), signature),
  };
}

/**
 * When the witness cosigned this text, in seconds since 1970; undefined when the signature is not its own or does not verify. The caller
 * has matched name and key id.
 */
export function cosignedAt(
  text: string,
  signature: Uint8Array,
  witness: NoteKey,
  verify: NoteVerifier = verifyNoteSignature,
): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const atSeconds = fromU64be(signature.subarray(0, TIME_BYTES));
  if (atSeconds === undefined) return undefined;
  const valid = verify(witness.key, cosignedMessage(text, atSeconds), signature.subarray(TIME_BYTES));
  return valid ? atSeconds : undefined;
}

function cosignedMessage(text: string, atSeconds: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${String(atSeconds)}\n${text}`);
}
