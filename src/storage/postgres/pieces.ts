// Bytes of uploads and objects, cut into pieces that an index in PostgreSQL names. Where the pieces themselves lie is configuration: here in
// the database, or in pieces/.

import { randomBytes } from 'node:crypto';
import { failpoint } from '../../system/index.js';
import { StorageError } from '../errors.js';
import type { PieceStore } from '../kinds.js';
import type { Database, Run } from './database.js';

/** Bytes of every piece of an object but the last: part of the format, because an object's index holds its size alone. */
export const PIECE_BYTES = 4 * 1024 * 1024;

export class DatabasePieces implements PieceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#database.query(`INSERT INTO piece VALUES ($1, $2) ON CONFLICT DO NOTHING`, [key, bytes]);
  }

  async get(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { rows } = await this.#database.query<{ part: Buffer }>(
      `SELECT substring(bytes FROM $2 FOR $3) AS part FROM piece WHERE key = $1`,
      [key, offset + 1, length],
    );
    const part = rows[0]?.part;
    if (part?.length !== length)
      throw new StorageError('storage/damaged', `the piece ${key} is missing or shorter than its index says`);
    return new Uint8Array(part);
  }

  async delete(key: string): Promise<void> {
    await this.#database.query(`DELETE FROM piece WHERE key = $1`, [key]);
  }

  discard(key: string): Promise<void> {
    return this.delete(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A name that nobody has used: pieces are never written twice. */
export function newKey(): string {
  return randomBytes(16).toString('hex');
}

/** A piece that was announced so long ago and has no name yet will get none: its writer is gone. One of 4 MiB takes seconds. */
const ORPHAN_MS = 3_600_000;

/**
 * Puts bytes that have no name yet. They are announced first: a process that is killed before it names them leaves the announcement behind,
 * and `sweep` finds them by it, wherever pieces lie.
 */
export async function put(database: Database, pieces: PieceStore, key: string, bytes: Uint8Array): Promise<void> {
  await database.query(`INSERT INTO piece_under_way VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING`, [key]);
  failpoint('storage.before-piece');
  await pieces.put(key, bytes);
  failpoint('storage.after-piece');
}

/** In the transaction that names pieces. Throws storage/upload-moved where one was given up meanwhile: its bytes may be gone. */
export async function named(run: Run, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const { rowCount } = await run(`DELETE FROM piece_under_way WHERE key = ANY($1::text[]) AND NOT given_up`, [keys]);
  if (rowCount !== keys.length)
    throw new StorageError('storage/upload-moved', 'bytes were put so slowly that they were given up', {
      category: 'unavailable',
    });
}

/** Deletes pieces that were put and are not wanted. Does nothing to those that have a name by now, or that cannot be deleted now. */
export async function giveUp(database: Database, pieces: PieceStore, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await database.query(`UPDATE piece_under_way SET given_up = true WHERE key = ANY($1::text[])`, [keys]);
  await clear(database, pieces, keys);
}

/** Notes, in the transaction that takes their names away, that pieces are to go: a crash after it leaves none behind. */
export async function drop(run: Run, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await run(`INSERT INTO dropped_piece SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, [keys]);
}

/** Deletes what was noted, and what was put and never named. What cannot be deleted now stays noted. */
export async function sweep(database: Database, pieces: PieceStore): Promise<void> {
  const { rows } = await database.query<{ key: string }>(`SELECT key FROM dropped_piece`);
  for (const { key } of rows) {
    try {
      await pieces.delete(key);
    } catch {
      continue;
    }
    await database.query(`DELETE FROM dropped_piece WHERE key = $1`, [key]);
  }
  await database.query(
    `UPDATE piece_under_way SET given_up = true
     WHERE NOT given_up AND since < clock_timestamp() - $1 * interval '1 millisecond'`,
    [ORPHAN_MS],
  );
  await clear(database, pieces);
}

/** Of those that were given up: the bytes first, then the note. */
async function clear(database: Database, pieces: PieceStore, only?: readonly string[]): Promise<void> {
  const { rows } = await database.query<{ key: string }>(
    `SELECT key FROM piece_under_way WHERE given_up AND ($1::text[] IS NULL OR key = ANY($1::text[]))`,
    [only ?? null],
  );
  for (const { key } of rows) {
    try {
      await pieces.discard(key);
    } catch {
      continue;
    }
    await database.query(`DELETE FROM piece_under_way WHERE key = $1 AND given_up`, [key]);
  }
}
