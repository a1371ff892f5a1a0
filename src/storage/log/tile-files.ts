// The log as files, in the layout of C2SP tlog-tiles: what a web server could publish and a generic tool can read. Each file is whole or
// absent after any crash.

import { readFileSync, type Dirent } from 'node:fs';
import { readdir, readFile, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes } from '../../base/index.js';
import { errnoOf, fileError, isTemporaryName, makeDirectory, writeFileDurably } from '../../system/index.js';
import { TILE_WIDTH, tilePath, type Tile } from '../../transcript/index.js';
import { listFolder } from '../blob.js';

export class TileFiles {
  readonly folder: string;
  readonly #made = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Undefined when there is no such file. Waits for the disk: a hash tile has 8 KiB and is read in the middle of a proof. */
  readSync(tile: Tile): Uint8Array<ArrayBuffer> | undefined {
    const path = this.#path(tile);
    try {
      return new Uint8Array(readFileSync(path));
    } catch (cause) {
      return orMissing(path, cause);
    }
  }

  read(tile: Tile): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readOr(this.#path(tile));
  }

  readCheckpoint(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readOr(join(this.folder, 'checkpoint'));
  }

  /** Durable when it resolves. Nothing is written when the file holds these bytes already. */
  async write(tile: Tile, bytes: Uint8Array): Promise<void> {
    const path = this.#path(tile);
    await this.#makeFolders(dirname(path));
    await writeChanged(path, bytes);
  }

  async writeCheckpoint(note: Uint8Array): Promise<void> {
    await this.#makeFolders(this.folder);
    await writeChanged(join(this.folder, 'checkpoint'), note);
  }

  /** Forgets the partial tiles in the place of a full one. */
  async removePartials(tile: Tile): Promise<void> {
    const path = `${this.#path({ ...tile, width: TILE_WIDTH })}.p`;
    try {
      await rm(path, { recursive: true, force: true });
    } catch (cause) {
      throw fileError('deleting', path, cause);
    }
    this.#made.delete(path);
  }

  /** Paths of all files, relative to the folder and with forward slashes, in no order. */
  async *list(within = ''): AsyncGenerator<string> {
    for (const entry of await foldersAndFiles(join(this.folder, within))) {
      const path = within === '' ? entry.name : `${within}/${entry.name}`;
      if (entry.isDirectory()) yield* this.list(path);
      else yield path;
    }
  }

  /** Clears away what a crash left half written beside these tiles. */
  async clearHalfWritten(tiles: Iterable<Tile>): Promise<void> {
    const folders = new Set([this.folder]);
    for (const tile of tiles) {
      const full = this.#path({ ...tile, width: TILE_WIDTH });
      folders.add(dirname(full)).add(`${full}.p`);
    }
    for (const folder of folders)
      for (const name of await listOr(folder))
        if (isTemporaryName(name)) await unlink(join(folder, name)).catch(() => undefined);
  }

  #path(tile: Tile): string {
    return join(this.folder, ...tilePath(tile).split('/'));
  }

  /** One level after the other, so that each new name is made durable in its parent. */
  async #makeFolders(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    if (path !== this.folder) await this.#makeFolders(dirname(path));
    await makeDirectory(path);
    this.#made.add(path);
  }
}

async function writeChanged(path: string, bytes: Uint8Array): Promise<void> {
  const held = await readOr(path);
  if (held === undefined || !equalBytes(held, bytes)) await writeFileDurably(path, bytes);
}

async function readOr(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    return orMissing(path, cause);
  }
}

async function listOr(path: string): Promise<string[]> {
  try {
    return await listFolder(path);
  } catch (cause) {
    if (fileError('listing', path, cause).code === 'system/not-found') return [];
    throw cause;
  }
}

async function foldersAndFiles(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw fileError('listing', path, cause);
  }
}

function orMissing(path: string, cause: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (errnoOf(cause) === 'ENOENT') return undefined;
  throw fileError('reading', path, cause);
}
