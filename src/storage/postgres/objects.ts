// Objects under their hash, for all coordinators: the index in PostgreSQL, the bytes in pieces. A row is there only when every piece is, so
// a name that is there can be trusted; two that store the same object at once both succeed and one of them throws its pieces away.

import { failpoint, type Content } from '../../system/index.js';
import { BLOB_NAME, freshRoom, plainSha256, requireAmount, type BlobHasher } from '../blob.js';
import { StorageError } from '../errors.js';
import type { ObjectStore, PieceStore } from '../kinds.js';
import type { Database, Run } from './database.js';
import type { Lease } from './lease.js';
import { drop, giveUp, named, newKey, PIECE_BYTES, put, sweep } from './pieces.js';

interface Facts {
  readonly generation: string;
  readonly size: number;
}

export interface ObjectsOptions {
  readonly database: Database;
  readonly lease: Lease;
  readonly pieces: PieceStore;
}

export class PostgresObjects implements ObjectStore {
  readonly #database: Database;
  readonly #lease: Lease;
  readonly #pieces: PieceStore;
  readonly #space: string;
  readonly #hasher: () => BlobHasher;

  /** `space`: one for each kind of hash. */
  constructor({ database, lease, pieces }: ObjectsOptions, space: string, hasher: () => BlobHasher = plainSha256) {
    this.#database = database;
    this.#lease = lease;
    this.#pieces = pieces;
    this.#space = space;
    this.#hasher = hasher;
  }

  async put(hash: string, content: Content): Promise<void> {
    if (await this.has(hash)) return;
    const generation = newKey();
    let size = 0;
    const keys: string[] = [];
    const hasher = this.#hasher();
    failpoint('storage.before-object', this.#space);
    let ours = false;
    try {
      for await (const piece of inPieces(content)) {
        hasher.update(piece);
        size += piece.length;
        const key = keyOf(generation, keys.length);
        keys.push(key);
        await put(this.#database, this.#pieces, key, piece);
      }
      const found = Buffer.from(hasher.digest()).toString('hex');
      if (found !== hash)
        throw new StorageError('storage/hash-mismatch', `the bytes have the hash ${found}, not ${hash}`);
      ours = await this.#database.transaction((run) => this.#name(run, { hash, generation, size, keys }));
    } catch (cause) {
      // Whether a transaction that broke has committed, the announcements know: what has its name stays.
      await giveUp(this.#database, this.#pieces, keys).catch(() => undefined);
      throw cause;
    }
    failpoint('storage.after-object', this.#space);
    if (!ours) await giveUp(this.#database, this.#pieces, keys);
  }

  /** False where another has stored the same meanwhile. */
  async #name(
    run: Run,
    {
      hash,
      generation,
      size,
      keys,
    }: { readonly hash: string; readonly generation: string; readonly size: number; readonly keys: readonly string[] },
  ): Promise<boolean> {
    const { rowCount } = await run(`INSERT INTO object VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, [
      this.#space,
      hash,
      generation,
      size,
    ]);
    if (rowCount === 1) {
      await named(run, keys);
      return true;
    }
    // Perhaps this very transaction, whose answer was lost.
    return (await factsIn(run, this.#space, hash))?.generation === generation;
  }

  async has(hash: string): Promise<boolean> {
    return (await this.#facts(hash)) !== undefined;
  }

  async size(hash: string): Promise<number> {
    return (await this.#known(hash)).size;
  }

  async read(hash: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    requireAmount('offset', offset);
    requireAmount('length', length);
    const { generation, size } = await this.#known(hash);
    if (offset > size)
      throw new StorageError(
        'storage/bad-range',
        `offset ${String(offset)} lies behind the ${String(size)} bytes of the blob`,
      );
    const bytes = new Uint8Array(Math.min(length, size - offset));
    for (let at = 0; at < bytes.length; ) {
      const from = offset + at;
      const within = from % PIECE_BYTES;
      const count = Math.min(bytes.length - at, PIECE_BYTES - within);
      const key = keyOf(generation, Math.floor(from / PIECE_BYTES));
      bytes.set(await this.#pieces.get(key, within, count), at);
      at += count;
    }
    return bytes;
  }

  async *readChunks(hash: string, chunkBytes: number, offset = 0, room = freshRoom): AsyncGenerator<Uint8Array> {
    requireAmount('offset', offset);
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0) throw new RangeError('a chunk has at least one byte');
    const size = await this.size(hash);
    if (offset > size)
      throw new StorageError('storage/bad-range', `offset ${String(offset)} lies behind ${String(size)} bytes`);
    for (let at = offset; at < size; at += chunkBytes) {
      const chunk = room(Math.min(chunkBytes, size - at));
      chunk.set(await this.read(hash, at, chunk.length));
      yield chunk;
    }
  }

  /** For the leader alone: a former one does not know what has come to need an object since. */
  async delete(hash: string): Promise<void> {
    requireName(hash);
    await this.#lease.fenced('object', async (run) => {
      const { rows } = await run<{ generation: string; size: string }>(
        `DELETE FROM object WHERE space = $1 AND name = $2 RETURNING generation, size`,
        [this.#space, hash],
      );
      for (const { generation, size } of rows) await drop(run, keysOf(dashless(generation), Number(size)));
    });
    await sweep(this.#database, this.#pieces);
  }

  async list(): Promise<string[]> {
    const { rows } = await this.#database.query<{ name: string }>(
      `SELECT name FROM object WHERE space = $1 ORDER BY name COLLATE "C"`,
      [this.#space],
    );
    return rows.map(({ name }) => name);
  }

  async isWhole(hash: string): Promise<boolean> {
    const hasher = this.#hasher();
    try {
      for await (const chunk of this.readChunks(hash, PIECE_BYTES)) hasher.update(chunk);
    } catch (cause) {
      if (cause instanceof StorageError && cause.code === 'storage/damaged') return false;
      throw cause;
    }
    return Buffer.from(hasher.digest()).toString('hex') === hash;
  }

  async #known(hash: string): Promise<Facts> {
    const facts = await this.#facts(hash);
    if (facts === undefined) throw new StorageError('storage/no-such-blob', `there is no blob ${hash}`);
    return facts;
  }

  async #facts(hash: string): Promise<Facts | undefined> {
    requireName(hash);
    return factsIn(this.#database.query, this.#space, hash);
  }
}

async function factsIn(run: Run, space: string, hash: string): Promise<Facts | undefined> {
  const { rows } = await run<{ generation: string; size: string }>(
    `SELECT generation, size FROM object WHERE space = $1 AND name = $2`,
    [space, hash],
  );
  const [row] = rows;
  return row === undefined ? undefined : { generation: dashless(row.generation), size: Number(row.size) };
}

function requireName(hash: string): void {
  if (!BLOB_NAME.test(hash))
    throw new StorageError('storage/bad-name', `${JSON.stringify(hash)} is not a SHA-256 in lower-case hexadecimal`);
}

function dashless(uuid: string): string {
  return uuid.replaceAll('-', '');
}

function keyOf(generation: string, index: number): string {
  return `${generation}.${String(index)}`;
}

function keysOf(generation: string, size: number): string[] {
  return Array.from({ length: Math.ceil(size / PIECE_BYTES) }, (_, index) => keyOf(generation, index));
}

/** Content in pieces of PIECE_BYTES, the last one shorter. */
async function* inPieces(content: Content): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) {
    for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
    return;
  }
  let held = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  for await (const part of content)
    for (let at = 0; at < part.length; ) {
      const taken = Math.min(part.length - at, PIECE_BYTES - filled);
      held.set(part.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < PIECE_BYTES) continue;
      yield held;
      held = new Uint8Array(PIECE_BYTES);
      filled = 0;
    }
  if (filled > 0) yield held.subarray(0, filled);
}
