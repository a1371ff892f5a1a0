// Checkpoints (C2SP tlog-checkpoint): size and root of the log, signed by it. Of the three lines that the format demands and no more:
// what stands on extension lines would be in no log.

import { asHash, equalBytes, invariant, utf8, type Hash } from '../../base/index.js';
import { verifyNoteSignature, type SigningKey } from '../../crypto/index.js';
import { TranscriptError } from '../errors.js';
import { fromBase64, toBase64 } from './base64.js';
import { isKeyName, keyId, type NoteKey } from './key.js';
import { parseNote, type Note } from './note.js';

export interface Checkpoint {
  /** Name of the log, and of its key. */
  readonly origin: string;
  /** Entries. */
  readonly size: number;
  readonly root: Hash;
}

/** `verifyNoteSignature` or, for an auditor, `verifyNoteSignatureIndependently`. */
export type NoteVerifier = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** The text that is signed: three lines with their newlines. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  invariant(isKeyName(origin) && Number.isSafeInteger(size) && size >= 0, 'a checkpoint has a name and a size');
  return `${origin}\n${String(size)}\n${toBase64(root)}\n`;
}

/** Throws transcript/bad-checkpoint for every text that `formatCheckpoint` would not have written. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', encoded = '', end, ...rest] = text.split('\n');
  if (end !== '' || rest.length > 0) throw badCheckpoint('it does not have exactly three lines');
  if (!isKeyName(origin)) throw badCheckpoint('its first line is not a name of a log');
  const size = Number(digits);
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(digits) || !Number.isSafeInteger(size))
    throw badCheckpoint('its second line is not a size');
  const bytes = fromBase64(encoded);
  const root = bytes === undefined ? undefined : asHash(bytes);
  if (root === undefined) throw badCheckpoint('its third line is not Base64 of 32 bytes');
  return { origin, size, root };
}

/** The checkpoint as a note with the log's signature, its only one so far. The key's name is the origin. */
export function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): Note {
  const text = formatCheckpoint(checkpoint);
  const id = keyId('ed25519', { name: checkpoint.origin, key: key.publicKey });
  return { text, signatures: [{ name: checkpoint.origin, keyId: id, signature: key.signNote(utf8(text)) }] };
}

/**
 * A checkpoint of this log, with its note. Every line of the log's key must verify, and there must be one; other lines are not looked
 * at (see quorum.ts). Throws transcript/bad-note, note-too-large, bad-checkpoint, wrong-origin, unsigned-checkpoint.
 */
export function openCheckpoint(
  bytes: Uint8Array,
  log: NoteKey,
  verify: NoteVerifier = verifyNoteSignature,
): { readonly checkpoint: Checkpoint; readonly note: Note } {
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== log.name)
    throw new TranscriptError(
      'transcript/wrong-origin',
      `expected a checkpoint of ${log.name}, this one is of ${checkpoint.origin.slice(0, 120)}.`,
    );
  const id = keyId('ed25519', log);
  const own = note.signatures.filter(({ name, keyId: given }) => name === log.name && equalBytes(given, id));
  const message = utf8(note.text);
  if (own.length === 0 || !own.every(({ signature }) => verify(log.key, message, signature)))
    throw new TranscriptError(
      'transcript/unsigned-checkpoint',
      own.length === 0
        ? `no signature of ${log.name} is on its checkpoint of size ${String(checkpoint.size)}.`
        : `a signature of ${log.name} on its checkpoint of size ${String(checkpoint.size)} does not verify.`,
    );
  return { checkpoint, note };
}

function badCheckpoint(why: string): TranscriptError {
  return new TranscriptError('transcript/bad-checkpoint', `this note is not a checkpoint: ${why}.`);
}
