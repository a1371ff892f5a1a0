// Counting witnesses. A checkpoint binds a silo when enough silos of the job have cosigned it that two forks would need an honest one
// to cosign both (docs/protocol.md §4).

import { equalBytes, hex } from '../../base/index.js';
import { verifyNoteSignature } from '../../crypto/index.js';
import type { NoteVerifier } from './checkpoint.js';
import { cosignedAt } from './cosignature.js';
import { keyId, type NoteKey } from './key.js';
import type { Note, NoteSignature } from './note.js';

export interface Cosigned {
  readonly name: string;
  /** Seconds since 1970 by the witness's clock; the latest, when it cosigned more than once. */
  readonly atSeconds: number;
}

/**
 * Which of the witnesses have validly cosigned the note, each once, in the order given. Lines of strangers are ignored, and so are
 * lines that do not verify: whoever passes a note on can add them, and must not be able to void it. A name or key that is listed
 * twice counts once, since the message does not say which name signed.
 */
export function cosignedBy(
  note: Note,
  witnesses: readonly NoteKey[],
  verify: NoteVerifier = verifyNoteSignature,
): Cosigned[] {
  const counted = new Set<string>();
  const found: Cosigned[] = [];
  const lines = new Map<string, NoteSignature[]>();
  for (const line of note.signatures) lines.set(line.name, [...(lines.get(line.name) ?? []), line]);
  for (const witness of witnesses) {
    const own = lines.get(witness.name);
    if (own === undefined) continue;
    if (counted.has(witness.name) || counted.has(hex(witness.key))) continue;
    const id = keyId('cosignature', witness);
    let latest: number | undefined;
    for (const line of own) {
      if (!equalBytes(line.keyId, id)) continue;
      const at = cosignedAt(note.text, line.signature, witness, verify);
      if (at !== undefined && at > (latest ?? -1)) latest = at;
    }
    if (latest === undefined) continue;
    counted.add(witness.name).add(hex(witness.key));
    found.push({ name: witness.name, atSeconds: latest });
  }
  return found;
}

/** How many of a job's silos must have cosigned: `ceil((silos + c + 1) / 2)`. Two such sets share more than c silos, so an honest one. */
export function witnessQuorum(silos: number, c: number): number {
  return Math.ceil((silos + c + 1) / 2);
}
