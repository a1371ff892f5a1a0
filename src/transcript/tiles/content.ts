// What is in a tile: 32-byte hashes one after the other, or entries each behind its length in two bytes.

import { asHash, concat, defined, HASH_BYTES, invariant, LIMITS, u16be, type Hash } from '../../base/index.js';
import { TranscriptError } from '../errors.js';
import type { NodeReader } from '../merkle/proof.js';
import { TILE_LEVELS, TILE_WIDTH, type Tile } from './layout.js';

const LENGTH_BYTES = 2;

/** The hashes that belong into a hash tile, as its file holds them. */
export function encodeHashTile(tile: Tile & { readonly kind: 'hashes' }, read: NodeReader): Uint8Array<ArrayBuffer> {
  const hashes = Array.from({ length: tile.width }, (_, k) =>
    read(tile.level * TILE_LEVELS, tile.index * TILE_WIDTH + k),
  );
  return concat(...hashes);
}

/** Exactly `width` hashes, as copies. Throws transcript/bad-tile. */
export function decodeHashTile(bytes: Uint8Array, width: number): Hash[] {
  return hashesOf(bytes, width, 0, width);
}

/** `count` hashes of a tile of `width` from the one at `first` on, as copies. Throws transcript/bad-tile. */
export function hashesOf(bytes: Uint8Array, width: number, first: number, count: number): Hash[] {
  if (bytes.length !== width * HASH_BYTES)
    throw badTile(
      `a tile of ${String(width)} hashes has ${String(width * HASH_BYTES)} bytes, not ${String(bytes.length)}`,
    );
  return Array.from({ length: count }, (_, k) => {
    const at = (first + k) * HASH_BYTES;
    return defined(asHash(Uint8Array.from(bytes.subarray(at, at + HASH_BYTES))), 'a hash of the tile');
  });
}

/** Entries of an entry bundle, as its file holds them. Each has at most `logEntryBytes`. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  invariant(entries.length <= TILE_WIDTH, 'a bundle has at most 256 entries');
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > LIMITS.logEntryBytes)
      throw new TranscriptError(
        'transcript/entry-too-large',
        `a log entry may have ${String(LIMITS.logEntryBytes)} bytes, this one has ${String(entry.length)}.`,
      );
    parts.push(u16be(entry.length), entry);
  }
  return concat(...parts);
}

/** Exactly `width` entries and nothing behind them, as copies. Throws transcript/bad-tile. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer>[] {
  const entries: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  while (entries.length < width) {
    const [high, low] = bytes.subarray(at, at + LENGTH_BYTES);
    if (high === undefined || low === undefined)
      throw badTile(`it ends before entry ${String(entries.length)} of ${String(width)}`);
    const start = at + LENGTH_BYTES;
    at = start + high * 256 + low;
    if (at > bytes.length) throw badTile(`entry ${String(entries.length)} of ${String(width)} is cut off`);
    entries.push(Uint8Array.from(bytes.subarray(start, at)));
  }
  if (at !== bytes.length) throw badTile(`${String(bytes.length - at)} bytes follow its ${String(width)} entries`);
  return entries;
}

function badTile(why: string): TranscriptError {
  return new TranscriptError('transcript/bad-tile', `these bytes are not the tile they should be: ${why}.`);
}
