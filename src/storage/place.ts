// Where a record lies in the environment, as the bytes of its LMDB key. The same bytes are the associated data of its seal.

import { concat, fromUtf8, u64be, utf8 } from '../base/index.js';
import { StorageError } from './errors.js';

/** Bytes. LMDB's default bound on keys is 1978; ours is smaller and leaves room for a prefix. */
const KEY_NAME_BYTES = 512;
const JOURNAL_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const SEQUENCE_BYTES = 8;

/** One byte in front of every key: which table it belongs to. */
const TABLE = { meta: 0, journal: 1, head: 2, pair: 3 } as const;

export function metaPlace(name: string): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(TABLE.meta), utf8(name));
}

/** Keys sort as (journal name, sequence): a name holds no zero byte, so one journal's keys lie together. */
export function recordPlace(journal: string, sequence: number): Uint8Array<ArrayBuffer> {
  return concat(journalPrefix(journal), u64be(sequence));
}

/** Where a journal begins whose first records were erased. */
export function firstPlace(journal: string): Uint8Array<ArrayBuffer> {
  requireJournalName(journal);
  return metaPlace(`first ${journal}`);
}

export function headPlace(journal: string): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(TABLE.head), utf8(journal));
}

export function pairPlace(key: string): Uint8Array<ArrayBuffer> {
  const name = utf8(key);
  if (name.length === 0 || name.length > KEY_NAME_BYTES)
    throw new StorageError(
      'storage/bad-name',
      `a key has 1 to ${String(KEY_NAME_BYTES)} bytes, not ${String(name.length)}`,
    );
  return concat(Uint8Array.of(TABLE.pair), name);
}

/** From the first key of a table to the first one behind it. */
export function tableRange(table: keyof typeof TABLE): { start: Uint8Array; end: Uint8Array } {
  return { start: Uint8Array.of(TABLE[table]), end: Uint8Array.of(TABLE[table] + 1) };
}

/** The text behind the table byte of a head's or pair's key. */
export function nameOf(place: Uint8Array): string {
  return fromUtf8(place.subarray(1));
}

/** Journal and sequence of a record's key, or undefined for what is none. */
export function recordOf(place: Uint8Array): { journal: string; sequence: number } | undefined {
  const split = place.length - SEQUENCE_BYTES - 1;
  if (split < 2 || place[0] !== TABLE.journal || place[split] !== 0) return undefined;
  const journal = new TextDecoder().decode(place.subarray(1, split));
  const view = new DataView(place.buffer, place.byteOffset + split + 1, SEQUENCE_BYTES);
  const sequence = view.getBigUint64(0);
  if (!JOURNAL_NAME.test(journal) || sequence > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { journal, sequence: Number(sequence) };
}

function journalPrefix(journal: string): Uint8Array<ArrayBuffer> {
  requireJournalName(journal);
  return concat(Uint8Array.of(TABLE.journal), utf8(journal), Uint8Array.of(0));
}

export function requireJournalName(journal: string): void {
  if (!JOURNAL_NAME.test(journal))
    throw new StorageError('storage/bad-name', `${JSON.stringify(journal)} cannot be the name of a journal`);
}
