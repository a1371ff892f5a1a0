// Bytes of uploads and objects, cut into pieces that an index in PostgreSQL names. Where the pieces themselves lie is configuration: here in
// the database, or in pieces/.

import { randomBytes } from 'node:crypto';
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

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A name that nobody has used: pieces are never written twice. */
export function newKey(): string {
  return randomBytes(16).toString('hex');
}

/** Notes, in the transaction that takes their names away, that pieces are to go: a crash after it leaves none behind. */
export async function drop(run: Run, keys: readonly string[]): Promise<void> {
  if (keys.length > 0)
    await run(`INSERT INTO dropped_piece SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, [[...keys]]);
}

/** Deletes what was noted. What cannot be deleted now stays noted. */
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
}
