// Names and ids of the keys that sign notes (C2SP signed-note).

import { concat, hex, utf8 } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import { toBase64 } from './base64.js';

/** Signature types of C2SP signed-note: Ed25519 over the text, and Ed25519 of a witness over text and time. */
export const NOTE_TYPES = { ed25519: 0x01, cosignature: 0x04 } as const;
export type NoteType = keyof typeof NOTE_TYPES;

export const KEY_ID_BYTES = 4;

/** A key that notes are verified with. Its name comes from the roster, never from a note. */
export interface NoteKey {
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array;
}

/** `SHA-256(name || 0x0A || type || key)[:4]`. An identifier for looking keys up, no security rests on it. */
export function keyId(type: NoteType, { name, key }: NoteKey): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    sha256(concat(utf8(name), Uint8Array.of(0x0a, NOTE_TYPES[type]), key)).subarray(0, KEY_ID_BYTES),
  );
}

/** `name+id+base64(type || key)`, the form in which tools of the C2SP formats take a key. */
export function verifierKey(type: NoteType, key: NoteKey): string {
  return `${key.name}+${hex(keyId(type, key))}+${toBase64(concat(Uint8Array.of(NOTE_TYPES[type]), key.key))}`;
}

/** Not empty, no Unicode space, no plus, no control character. */
export function isKeyName(text: string): boolean {
  return text !== '' && !/[\p{White_Space}\p{Cc}+]/u.test(text);
}

/** Origin and key name of a consortium's log, a URL without its scheme as C2SP recommends. */
export function logName(consortiumId: string): string {
  return `${consortiumId}/log`;
}

/** Key name of a silo as witness. */
export function witnessName(consortiumId: string, siloId: string): string {
  return `${consortiumId}/silo/${siloId}`;
}
