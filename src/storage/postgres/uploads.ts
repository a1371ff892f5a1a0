// Uploads that any coordinator may take and any other continue. The bytes of a part are put first, then the row that says that they belong
// there: a part goes in only where the upload ends at that moment, so of two coordinators that hear the same silo one is refused.

import { equalBytes } from '../../base/index.js';
import { failpoint } from '../../system/index.js';
import { StorageError } from '../errors.js';
import type { PieceStore, StoredUpload, UploadStore } from '../kinds.js';
import { freshRoom } from '../blob.js';
import { requireUploadName, type SpoolLimits } from '../spool.js';
import type { Database } from './database.js';
import type { Lease } from './lease.js';
import { drop, giveUp, named, newKey, PIECE_BYTES, put, sweep } from './pieces.js';

interface Part {
  readonly at: number;
  readonly length: number;
  readonly piece: string;
}

export interface PostgresUploadsOptions {
  readonly database: Database;
  readonly lease: Lease;
  readonly pieces: PieceStore;
  readonly limits: SpoolLimits;
}

export class PostgresUploads implements UploadStore {
  readonly #options: PostgresUploadsOptions;

  constructor(options: PostgresUploadsOptions) {
    this.#options = options;
  }

  async names(): Promise<string[]> {
    const { rows } = await this.#options.database.query<{ name: string }>(
      `SELECT name FROM upload ORDER BY name COLLATE "C"`,
    );
    return rows.map(({ name }) => name);
  }

  async upload(name: string): Promise<StoredUpload> {
    requireUploadName(name);
    const { database } = this.#options;
    failpoint('storage.before-upload-open');
    await database.query(`INSERT INTO upload VALUES ($1, gen_random_uuid(), 0) ON CONFLICT DO NOTHING`, [name]);
    failpoint('storage.after-upload-open');
    const { rows } = await database.query<{ generation: string; length: string }>(
      `SELECT generation, length FROM upload WHERE name = $1`,
      [name],
    );
    const [row] = rows;
    if (row === undefined) throw moved(name);
    return new PostgresUpload(name, row.generation, Number(row.length), this.#options);
  }

  async generationOf(name: string): Promise<string | undefined> {
    requireUploadName(name);
    const { rows } = await this.#options.database.query<{ generation: string }>(
      `SELECT generation FROM upload WHERE name = $1`,
      [name],
    );
    return rows[0]?.generation;
  }

  /** For the leader alone: a former one, whose state is old, must not take away what it has never heard of. */
  async delete(name: string): Promise<void> {
    requireUploadName(name);
    const { database, lease, pieces } = this.#options;
    await lease.fenced('upload', async (run) => {
      const { rows } = await run<{ piece: string }>(
        `SELECT piece FROM upload_part JOIN upload USING (generation) WHERE name = $1`,
        [name],
      );
      await drop(
        run,
        rows.map(({ piece }) => piece),
      );
      await run(`DELETE FROM upload WHERE name = $1`, [name]);
    });
    await sweep(database, pieces);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Made anew for each call of a silo. Calls run one after the other in the order they were made. */
class PostgresUpload implements StoredUpload {
  readonly generation: string;
  readonly #name: string;
  readonly #options: PostgresUploadsOptions;
  #durable: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, generation: string, length: number, options: PostgresUploadsOptions) {
    this.#name = name;
    this.generation = generation;
    this.#durable = length;
    this.#options = options;
  }

  get durableOffset(): number {
    return this.#durable;
  }

  get length(): number {
    return this.#durable + this.#heldBytes;
  }

  append(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#inOrder(async () => {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.length)
        throw new StorageError(
          'storage/upload-gap',
          `bytes at ${String(offset)} do not continue the upload at ${String(this.length)}`,
        );
      const again = Math.min(bytes.length, this.length - offset);
      if (again > 0) await this.#compare(offset, bytes.subarray(0, again));
      // Bytes are lent only until the next ones are asked for.
      for (let at = again; at < bytes.length; ) {
        const part = bytes.slice(at, at + PIECE_BYTES - this.#heldBytes);
        this.#held.push(part);
        this.#heldBytes += part.length;
        at += part.length;
        if (this.#heldBytes === PIECE_BYTES) await this.#flush();
      }
    });
  }

  sync(): Promise<number> {
    return this.#inOrder(async () => {
      failpoint('storage.before-upload-sync');
      await this.#flush();
      failpoint('storage.after-upload-sync');
      return this.#durable;
    });
  }

  async *readChunks(chunkBytes: number, room = freshRoom): AsyncGenerator<Uint8Array> {
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0) throw new RangeError('a chunk has at least one byte');
    const end = this.#durable;
    const parts = await this.#parts(0, end);
    for (let at = 0; at < end; at += chunkBytes)
      yield await this.#read(parts, at, room(Math.min(chunkBytes, end - at)));
  }

  async #flush(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const { database, pieces, limits } = this.#options;
    const bytes = Buffer.concat(this.#held);
    const piece = newKey();
    await put(database, pieces, piece, bytes);
    const taken = await database.transaction(async (run) => {
      const { rows } = await run<{ length: string }>(
        `SELECT length FROM upload WHERE name = $1 AND generation = $2 FOR UPDATE`,
        [this.#name, this.generation],
      );
      const length = Number(rows[0]?.length ?? -1);
      // The same transaction again, after a connection that broke when it had committed. Others may have gone on from there since.
      if (length > this.#durable) {
        const known = await run(`SELECT 1 FROM upload_part WHERE generation = $1 AND piece = $2`, [
          this.generation,
          piece,
        ]);
        if (known.rowCount === 1) return 'taken';
      }
      if (length !== this.#durable) return 'moved';
      const all = await run<{ total: string }>(`SELECT coalesce(sum(length), 0) AS total FROM upload`);
      const total = Number(all.rows[0]?.total) + bytes.length;
      if (total > limits.totalBytes) return total;
      await named(run, [piece]);
      await run(`INSERT INTO upload_part VALUES ($1, $2, $3, $4)`, [this.generation, length, bytes.length, piece]);
      await run(`UPDATE upload SET length = $2 WHERE generation = $1`, [this.generation, length + bytes.length]);
      return 'taken';
    });
    this.#held = [];
    this.#heldBytes = 0;
    if (taken === 'taken') {
      this.#durable += bytes.length;
      return;
    }
    await giveUp(database, pieces, [piece]);
    if (taken === 'moved') throw moved(this.#name);
    throw new StorageError(
      'storage/upload-full',
      `uploads would have ${String(taken)} bytes; the limit is ${String(limits.totalBytes)}`,
    );
  }

  async #compare(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset + bytes.length > this.#durable) await this.#flush();
    const end = offset + bytes.length;
    const stored = await this.#read(await this.#parts(offset, end), offset, new Uint8Array(bytes.length));
    if (!equalBytes(stored, bytes))
      throw new StorageError(
        'storage/upload-conflict',
        `the ${String(bytes.length)} bytes at ${String(offset)} differ from those stored`,
      );
  }

  /** Those that hold bytes from `from` up to `to`, in order. */
  async #parts(from: number, to: number): Promise<Part[]> {
    const { rows } = await this.#options.database.query<{ at: string; length: number; piece: string }>(
      `SELECT at, length, piece FROM upload_part WHERE generation = $1 AND at < $3 AND at + length > $2 ORDER BY at`,
      [this.generation, from, to],
    );
    return rows.map(({ at, length, piece }) => ({ at: Number(at), length, piece }));
  }

  /** Fills `bytes` from `offset` on. */
  async #read(parts: readonly Part[], offset: number, bytes: Uint8Array): Promise<Uint8Array> {
    const { length } = bytes;
    let filled = 0;
    for (const part of parts) {
      const from = Math.max(offset, part.at);
      const to = Math.min(offset + length, part.at + part.length);
      if (to <= from) continue;
      if (from !== offset + filled) break;
      bytes.set(await this.#options.pieces.get(part.piece, from - part.at, to - from), filled);
      filled += to - from;
    }
    if (filled !== length)
      throw new StorageError('storage/damaged', `the upload ${this.#name} lacks bytes that its index says are there`);
    return bytes;
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }
}

function moved(name: string): StorageError {
  return new StorageError('storage/upload-moved', `the upload ${name} went on elsewhere`, { category: 'unavailable' });
}
