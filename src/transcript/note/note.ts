// Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature. Parsing here says nothing about who signed.

import { concat, equalBytes, fromUtf8, LIMITS, utf8 } from '../../base/index.js';
import { TranscriptError } from '../errors.js';
import { fromBase64, toBase64 } from './base64.js';
import { isKeyName, KEY_ID_BYTES } from './key.js';

export interface NoteSignature {
  /** Name of the key, as the line claims. */
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** What follows the id: 64 bytes for Ed25519, 72 for a cosignature, anything for types unknown here. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** What is signed, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const DASH = '— ';

/** Throws transcript/bad-note, transcript/note-too-large. `formatNote` gives the same bytes back. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > LIMITS.noteBytes)
    throw tooLarge(`a note may have ${String(LIMITS.noteBytes)} bytes, this one has ${String(bytes.length)}.`);
  const whole = textOf(bytes);
  // The last empty line: a text may hold others.
  const border = whole.lastIndexOf('\n\n');
  if (border < 0) throw badNote('it has no empty line before its signatures');
  if (!whole.endsWith('\n')) throw badNote('its last line has no end');
  const lines = whole.slice(border + 2, -1).split('\n');
  if (lines.length > LIMITS.noteSignatures)
    throw tooLarge(
      `a note may have ${String(LIMITS.noteSignatures)} signatures, this one has ${String(lines.length)}.`,
    );
  return { text: whole.slice(0, border + 1), signatures: lines.map(parseLine) };
}

export function formatNote(note: Note): Uint8Array<ArrayBuffer> {
  const lines = note.signatures.map(
    ({ name, keyId, signature }) => `${DASH}${name} ${toBase64(concat(keyId, signature))}\n`,
  );
  return utf8(`${note.text}\n${lines.join('')}`);
}

/** The note with one signature more. One of the same key that is there already gives way. */
export function addSignature(note: Note, added: NoteSignature): Note {
  const others = note.signatures.filter(({ name, keyId }) => name !== added.name || !equalBytes(keyId, added.keyId));
  return { text: note.text, signatures: [...others, added] };
}

function textOf(bytes: Uint8Array): string {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw badNote('it is not UTF-8');
  }
  for (const byte of bytes) if (byte < 0x20 && byte !== 0x0a) throw badNote('it holds a control character');
  return text;
}

function parseLine(line: string, index: number): NoteSignature {
  const at = `signature line ${String(index + 1)}`;
  if (!line.startsWith(DASH)) throw badNote(`${at} does not begin with an em dash and a space`);
  const [name = '', encoded, ...rest] = line.slice(DASH.length).split(' ');
  if (encoded === undefined || rest.length > 0 || !isKeyName(name))
    throw badNote(`${at} is not a name and a signature`);
  const bytes = fromBase64(encoded);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES)
    throw badNote(`${at} is not Base64 of a key id and a signature`);
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

function badNote(why: string): TranscriptError {
  return new TranscriptError('transcript/bad-note', `these bytes are not a signed note: ${why}.`);
}

function tooLarge(message: string): TranscriptError {
  return new TranscriptError('transcript/note-too-large', message);
}
