// Blobs: models, masked inputs, sums. Files under the hex of their hash, written whole or not at all, so that a name that is there can be
// trusted. Public to the consortium or masked: blobs are not sealed (see sealed-file.ts for what is).

import { createHash } from 'node:crypto';
import { open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../system/index.js';
import { fileError, isTemporaryName, makeDirectory, removeDurably, writeFileDurably } from '../system/index.js';
import { StorageError } from './errors.js';
import type { ObjectStore, Room } from './kinds.js';

/** A hash in progress; crypto's Hasher is one. */
export interface BlobHasher {
  update(part: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Plain SHA-256, the content address of what has no label of its own. */
export function plainSha256(): BlobHasher {
  return createHash('sha256');
}

export const BLOB_NAME = /^[0-9a-f]{64}$/;

export class BlobStore implements ObjectStore {
  readonly directory: string;
  readonly #hasher: () => BlobHasher;

  private constructor(directory: string, hasher: () => BlobHasher) {
    this.directory = directory;
    this.#hasher = hasher;
  }

  /** One folder a kind of blob, because one hash (with its label) names all that is in it. Clears away what a crash left half written. */
  static async open(directory: string, hasher: () => BlobHasher = plainSha256): Promise<BlobStore> {
    await makeDirectory(directory);
    for (const name of await listFolder(directory))
      if (isTemporaryName(name)) await unlink(join(directory, name)).catch(() => undefined);
    return new BlobStore(directory, hasher);
  }

  /** Stores `content` under `hash`; resolves when it is durable. Bytes of another hash are refused and leave nothing behind. */
  async put(hash: string, content: Content): Promise<void> {
    const path = this.#path(hash);
    if (await this.has(hash)) return;
    await writeFileDurably(path, this.#verified(hash, content));
  }

  async has(hash: string): Promise<boolean> {
    return (await this.#facts(hash)) !== undefined;
  }

  /** Bytes. Throws storage/no-such-blob. */
  async size(hash: string): Promise<number> {
    const facts = await this.#facts(hash);
    if (facts === undefined) throw missing(hash);
    return facts.size;
  }

  /** `length` bytes from `offset`; fewer at the end of the blob, none at its very end. */
  async read(hash: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    requireAmount('offset', offset);
    requireAmount('length', length);
    const path = this.#path(hash);
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        if (offset > size)
          throw new StorageError(
            'storage/bad-range',
            `offset ${String(offset)} lies behind the ${String(size)} bytes of the blob`,
          );
        const bytes = new Uint8Array(Math.min(length, size - offset));
        await readFully(file, bytes, offset);
        return bytes;
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw this.#failed('reading', hash, cause);
    }
  }

  /** The blob from `offset` on, in pieces of `chunkBytes`, each in the memory that `room` gives. */
  async *readChunks(hash: string, chunkBytes: number, offset = 0, room = freshRoom): AsyncGenerator<Uint8Array> {
    const size = await this.size(hash);
    yield* chunksOf(this.#path(hash), size, chunkBytes, offset, room);
  }

  async delete(hash: string): Promise<void> {
    await removeDurably(this.#path(hash));
  }

  /** Hashes of all blobs, sorted. */
  async list(): Promise<string[]> {
    return (await listFolder(this.directory)).filter((name) => BLOB_NAME.test(name)).sort();
  }

  /** True when the bytes on disk still have their hash. */
  async isWhole(hash: string): Promise<boolean> {
    const hasher = this.#hasher();
    for await (const chunk of this.readChunks(hash, 1024 * 1024)) hasher.update(chunk);
    return Buffer.from(hasher.digest()).toString('hex') === hash;
  }

  async *#verified(hash: string, content: Content): AsyncGenerator<Uint8Array> {
    const hasher = this.#hasher();
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      hasher.update(piece);
      yield piece;
    }
    const found = Buffer.from(hasher.digest()).toString('hex');
    if (found !== hash)
      throw new StorageError('storage/hash-mismatch', `the bytes have the hash ${found}, not ${hash}`);
  }

  async #facts(hash: string): Promise<{ size: number } | undefined> {
    const path = this.#path(hash);
    try {
      return await stat(path);
    } catch (cause) {
      const error = fileError('reading', path, cause);
      if (error.code === 'system/not-found') return undefined;
      throw error;
    }
  }

  #path(hash: string): string {
    if (!BLOB_NAME.test(hash))
      throw new StorageError('storage/bad-name', `${JSON.stringify(hash)} is not a SHA-256 in lower-case hexadecimal`);
    return join(this.directory, hash);
  }

  #failed(doing: string, hash: string, cause: unknown): Error {
    if (cause instanceof StorageError) return cause;
    const error = fileError(doing, this.#path(hash), cause);
    return error.code === 'system/not-found' ? missing(hash) : error;
  }
}

export const freshRoom: Room = (bytes) => new Uint8Array(bytes);

/** A file of `size` bytes in pieces. Throws storage/damaged when it is shorter by now. */
export async function* chunksOf(
  path: string,
  size: number,
  chunkBytes: number,
  offset = 0,
  room: Room = freshRoom,
): AsyncGenerator<Uint8Array> {
  requireAmount('offset', offset);
  if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0) throw new RangeError('a chunk has at least one byte');
  if (offset > size)
    throw new StorageError('storage/bad-range', `offset ${String(offset)} lies behind ${String(size)} bytes`);
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw fileError('reading', path, cause);
  });
  try {
    for (let at = offset; at < size; at += chunkBytes) {
      const chunk = room(Math.min(chunkBytes, size - at));
      await readFully(file, chunk, at);
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

interface Readable {
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

/** Fills `into`; a single read may be short. */
export async function readFully(file: Readable, into: Uint8Array, position: number): Promise<void> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new StorageError('storage/damaged', 'a file became shorter while it was read');
    at += bytesRead;
  }
}

export async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    throw fileError('listing', path, cause);
  }
}

export function requireAmount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new StorageError('storage/bad-range', `${what} ${String(value)} is not a number of bytes`);
}

function missing(hash: string): StorageError {
  return new StorageError('storage/no-such-blob', `there is no blob ${hash}`);
}
