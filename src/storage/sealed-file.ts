// Large secrets: the quantised input of a round has hundreds of megabytes and must outlive a crash, so it cannot lie in the journal, and
// must not lie on the disk in clear. Files sealed block by block; no block can be moved, left out or cut off unseen.

import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { concat, isName, labelled, u64be } from '../base/index.js';
import type { Content } from '../system/index.js';
import { fileError, isTemporaryName, makeDirectory, removeDurably, writeFileDurably } from '../system/index.js';
import { listFolder, readFully } from './blob.js';
import { StorageError } from './errors.js';
import type { Sealer } from './seal.js';
import { SEAL_OVERHEAD_BYTES } from './seal.js';

/**
 * Bytes of plaintext in every block but the last, which has fewer, perhaps none: a file that ends with a full block was cut, and one
 * that goes on behind a shorter block does not open.
 */
const BLOCK_BYTES = 1024 * 1024;
const SEALED_BYTES = BLOCK_BYTES + SEAL_OVERHEAD_BYTES;
const SUFFIX = '.sealed';
const PLACE_PREFIX = 0x10;

export class SealedStore {
  readonly directory: string;
  readonly #sealer: Sealer;

  private constructor(directory: string, sealer: Sealer) {
    this.directory = directory;
    this.#sealer = sealer;
  }

  static async open(directory: string, sealer: Sealer): Promise<SealedStore> {
    await makeDirectory(directory);
    for (const name of await listFolder(directory))
      if (isTemporaryName(name)) await removeDurably(join(directory, name));
    return new SealedStore(directory, sealer);
  }

  /** Resolves when the file is durable. Written once: another content under the same name is refused with system/exists. */
  async put(name: string, content: Content): Promise<void> {
    await writeFileDurably(this.#path(name), this.#seal(name, content), { mode: 0o600, replace: false });
  }

  /** The content in blocks of 1 MiB. Throws storage/damaged at the first block that is not whole. */
  async *read(name: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const path = this.#path(name);
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw fileError('reading', path, cause);
    });
    try {
      const { size } = await file.stat();
      for (let index = 0; ; index++) {
        const sealed = new Uint8Array(Math.min(SEALED_BYTES, size - index * SEALED_BYTES));
        await readFully(file, sealed, index * SEALED_BYTES);
        const last = sealed.length < SEALED_BYTES;
        const block = this.#sealer.open(place(name, index), sealed);
        if (block.length > 0) yield block;
        if (last) return;
      }
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw fileError('reading', path, cause);
    } finally {
      await file.close();
    }
  }

  async has(name: string): Promise<boolean> {
    const path = this.#path(name);
    try {
      await stat(path);
      return true;
    } catch (cause) {
      const error = fileError('reading', path, cause);
      if (error.code === 'system/not-found') return false;
      throw error;
    }
  }

  async delete(name: string): Promise<void> {
    await removeDurably(this.#path(name));
  }

  async list(): Promise<string[]> {
    const names = await listFolder(this.directory);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .sort();
  }

  async *#seal(name: string, content: Content): AsyncGenerator<Uint8Array> {
    const held = new Uint8Array(BLOCK_BYTES);
    let filled = 0;
    let index = 0;
    try {
      for await (const piece of content instanceof Uint8Array ? [content] : content) {
        for (let at = 0; at < piece.length; ) {
          const taken = Math.min(piece.length - at, BLOCK_BYTES - filled);
          held.set(piece.subarray(at, at + taken), filled);
          at += taken;
          filled += taken;
          if (filled < BLOCK_BYTES) continue;
          yield* this.#sealer.sealInParts(place(name, index++), held);
          filled = 0;
        }
      }
      yield* this.#sealer.sealInParts(place(name, index), held.subarray(0, filled));
    } finally {
      held.fill(0);
    }
  }

  #path(name: string): string {
    if (name.length > 200 || !name.split('.').every(isName))
      throw new StorageError('storage/bad-name', `${JSON.stringify(name)} cannot be the name of a sealed file`);
    return join(this.directory, name + SUFFIX);
  }
}

/** The first byte is no table's of the journal. */
function place(name: string, index: number): Uint8Array {
  return concat(Uint8Array.of(PLACE_PREFIX), labelled(name), u64be(index));
}
