// Pieces as files in a folder that every coordinator has mounted. Each has a name that was never used before, so the file system need not
// lock anything; it must only keep what fsync has returned for.

import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  errnoOf,
  isTemporaryName,
  makeDirectory,
  removeDurably,
  SystemError,
  writeFileDurably,
} from '../../system/index.js';
import { readFully } from '../blob.js';
import { StorageError } from '../errors.js';
import type { PieceStore } from '../kinds.js';

export class PieceFiles implements PieceStore {
  readonly #folder: string;
  readonly #made = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<PieceFiles> {
    await makeDirectory(folder);
    return new PieceFiles(folder);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(key);
    if (!this.#made.has(dirname(path))) {
      await makeDirectory(dirname(path));
      this.#made.add(dirname(path));
    }
    await writeFileDurably(path, bytes, { mode: 0o600, what: 'pieces' });
  }

  async get(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const file = await open(this.#path(key), 'r');
      try {
        const bytes = new Uint8Array(length);
        await readFully(file, bytes, offset);
        return bytes;
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError('storage/damaged', `the piece ${key} cannot be read from the shared folder`, { cause });
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await removeDurably(this.#path(key));
    } catch (cause) {
      // Its folder may never have been made.
      if (!(cause instanceof SystemError && cause.code === 'system/not-found')) throw cause;
    }
  }

  async discard(key: string): Promise<void> {
    const folder = dirname(this.#path(key));
    const torn = (await names(folder)).filter((name) => isTemporaryName(name) && name.startsWith(`.${key}.`));
    for (const name of torn) await removeDurably(join(folder, name));
    await this.delete(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** 256 folders: a file system is slow with millions of files in one. */
  #path(key: string): string {
    return join(this.#folder, key.slice(0, 2), key);
  }
}

/** Of what is in a folder, which may never have been made. */
async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}
