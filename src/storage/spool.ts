// The spool: uploads under way. A silo that was cut off continues at the offset that the coordinator has made durable, and no other.
// Bytes once durable never change: the same may be sent again, others are refused.

import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, isName } from '../base/index.js';
import { failpoint, fileError, makeDirectory, removeDurably, syncDirectory, writeAll } from '../system/index.js';
import { chunksOf, listFolder, readFully } from './blob.js';
import { StorageError } from './errors.js';
import type { Room, StoredUpload, UploadStore } from './kinds.js';

export interface SpoolLimits {
  /** Bytes of all uploads together; a peer must not fill the disk. */
  readonly totalBytes: number;
}

const SUFFIX = '.part';

export class Spool implements UploadStore {
  readonly directory: string;
  readonly #limits: SpoolLimits;
  /** Bytes of every upload in the folder, opened or not. */
  readonly #sizes: Map<string, number>;
  readonly #open = new Map<string, Promise<Upload>>();

  private constructor(directory: string, limits: SpoolLimits, sizes: Map<string, number>) {
    this.directory = directory;
    this.#limits = limits;
    this.#sizes = sizes;
  }

  static async open(directory: string, limits: SpoolLimits): Promise<Spool> {
    await makeDirectory(directory);
    const sizes = new Map<string, number>();
    for (const file of await listFolder(directory)) {
      if (!file.endsWith(SUFFIX)) continue;
      try {
        sizes.set(file.slice(0, -SUFFIX.length), (await stat(join(directory, file))).size);
      } catch (cause) {
        throw fileError('reading', join(directory, file), cause);
      }
    }
    return new Spool(directory, limits, sizes);
  }

  /** Uploads that have a file, sorted. */
  names(): string[] {
    return [...this.#sizes.keys()].sort();
  }

  get totalBytes(): number {
    let total = 0;
    for (const size of this.#sizes.values()) total += size;
    return total;
  }

  /** The upload of this name, created when missing. One object per name, however often it is asked for. */
  async upload(name: string): Promise<Upload> {
    requireUploadName(name);
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opening = Upload.open(join(this.directory, name + SUFFIX), (size) => {
      this.#reserve(name, size);
    });
    this.#open.set(name, opening);
    try {
      const upload = await opening;
      this.#sizes.set(name, upload.durableOffset);
      return upload;
    } catch (cause) {
      this.#open.delete(name);
      throw cause;
    }
  }

  async generationOf(name: string): Promise<string | undefined> {
    return this.#sizes.has(name) ? (await this.upload(name)).generation : undefined;
  }

  async delete(name: string): Promise<void> {
    requireUploadName(name);
    const upload = this.#open.get(name);
    this.#open.delete(name);
    if (upload !== undefined) await (await upload).close();
    await removeDurably(join(this.directory, name + SUFFIX));
    this.#sizes.delete(name);
  }

  async close(): Promise<void> {
    const uploads = await Promise.all(this.#open.values());
    this.#open.clear();
    for (const upload of uploads) await upload.close();
  }

  /** Notes that an upload grows to `size`, or refuses before a byte is written. */
  #reserve(name: string, size: number): void {
    const others = this.totalBytes - (this.#sizes.get(name) ?? 0);
    if (others + size > this.#limits.totalBytes)
      throw new StorageError(
        'storage/upload-full',
        `uploads would have ${String(others + size)} bytes; the limit is ${String(this.#limits.totalBytes)}`,
      );
    this.#sizes.set(name, size);
  }
}

/** One upload. Calls run one after the other in the order they were made. */
export class Upload implements StoredUpload {
  /** Of this process: it has one object for as long as the upload is not deleted. */
  readonly generation = randomUUID();
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #reserve: (size: number) => void;
  #length: number;
  #durable: number;
  /** Set by the first failure of the disk: after a failed fsync a later one may succeed without having written. */
  #failure: Error | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, length: number, reserve: (size: number) => void) {
    this.#path = path;
    this.#file = file;
    this.#reserve = reserve;
    this.#length = length;
    this.#durable = length;
  }

  /** What a crash left is synced first: then its length is what may be acknowledged. Whether it is what was sent, the closing hash tells. */
  static async open(path: string, reserve: (size: number) => void): Promise<Upload> {
    try {
      failpoint('storage.before-upload-open');
      // 'a+' would create as well, and would then write at the end whatever position is asked for.
      const file = await open(path, 'r+').catch((cause: unknown) => {
        if (fileError('opening', path, cause).code !== 'system/not-found') throw cause;
        return open(path, 'wx+', 0o600);
      });
      await file.sync();
      await syncDirectory(join(path, '..'));
      failpoint('storage.after-upload-open');
      return new Upload(path, file, (await file.stat()).size, reserve);
    } catch (cause) {
      throw fileError('opening the upload', path, cause);
    }
  }

  /** Bytes that survive a power cut: the only offset that may be told to the sender. */
  get durableOffset(): number {
    return this.#durable;
  }

  /** Bytes written, durable or not. */
  get length(): number {
    return this.#length;
  }

  /** Writes `bytes` at `offset`, which is at most the length. What lies before the length must be equal to what was written. Not yet durable. */
  append(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#inOrder('writing the upload', async () => {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.#length)
        throw new StorageError(
          'storage/upload-gap',
          `bytes at ${String(offset)} do not continue the upload at ${String(this.#length)}`,
        );
      const again = Math.min(bytes.length, this.#length - offset);
      await this.#compare(offset, bytes.subarray(0, again));
      if (again === bytes.length) return;
      this.#reserve(offset + bytes.length);
      await writeAll(this.#file, bytes.subarray(again), offset + again);
      this.#length = offset + bytes.length;
    });
  }

  /** Waits for the disk; resolves with the offset that may now be acknowledged. */
  sync(): Promise<number> {
    return this.#inOrder('syncing the upload', async () => {
      failpoint('storage.before-upload-sync');
      const length = this.#length;
      if (length > this.#durable) await this.#file.sync();
      this.#durable = length;
      failpoint('storage.after-upload-sync');
      return length;
    });
  }

  /** The durable bytes in pieces of `chunkBytes`, the last one shorter, each in the memory that `room` gives. */
  readChunks(chunkBytes: number, room?: Room): AsyncGenerator<Uint8Array> {
    return chunksOf(this.#path, this.#durable, chunkBytes, 0, room);
  }

  async close(): Promise<void> {
    await this.#last;
    try {
      await this.#file.close();
    } catch (cause) {
      throw fileError('closing the upload', this.#path, cause);
    }
  }

  async #compare(offset: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const stored = new Uint8Array(bytes.length);
    await readFully(this.#file, stored, offset);
    if (!equalBytes(stored, bytes))
      throw new StorageError(
        'storage/upload-conflict',
        `the ${String(bytes.length)} bytes at ${String(offset)} differ from those stored`,
      );
  }

  #inOrder<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        return await work();
      } catch (cause) {
        if (cause instanceof StorageError) throw cause;
        this.#failure = fileError(doing, this.#path, cause);
        throw this.#failure;
      }
    });
    // The next call waits for this one, and is not failed by it.
    this.#last = run.catch(() => undefined);
    return run;
  }
}

/** Names become file names: labels joined by dots, as in `job-3.12.0.alpha`. */
export function requireUploadName(name: string): void {
  if (name.length > 200 || !name.split('.').every(isName))
    throw new StorageError('storage/bad-name', `${JSON.stringify(name)} cannot be the name of an upload`);
}
