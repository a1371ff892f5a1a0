// The append-only log on disk. An entry is durable in LMDB when `append` resolves; publishing a checkpoint moves what it covers into tile
// files, whose full tiles never change. Nothing is held in memory but the edge of the tree and the latest checkpoint.

import { join } from 'node:path';
import { concat, equalBytes, HASH_BYTES, type Hash } from '../../base/index.js';
import { failpoint } from '../../system/index.js';
import {
  bundleAt,
  consistencyProof,
  decodeBundle,
  encodeBundle,
  hashTileAt,
  inclusionProof,
  leafHash,
  nodesFromTiles,
  parseCheckpoint,
  parseNote,
  rootOf,
  TILE_WIDTH,
  tilePath,
  tilesBetween,
  type Checkpoint,
  type CompactRange,
  type NodeReader,
  type Tile,
  type TreeNode,
} from '../../transcript/index.js';
import { StorageError } from '../errors.js';
import { PendingLog } from './pending.js';
import { RecentEntries } from './recent.js';
import { TileFiles } from './tile-files.js';

/** Folders of a log: `public` may be served as it is. */
export const PENDING_FOLDER = 'pending';
export const PUBLIC_FOLDER = 'public';

export interface NumberedEntry {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Published {
  readonly note: Uint8Array<ArrayBuffer>;
  readonly checkpoint: Checkpoint;
}

export class TransparencyLog {
  readonly #pending: PendingLog;
  readonly #files: TileFiles;
  readonly #recent = new RecentEntries();
  /** Of the durable entries. */
  #durable: CompactRange;
  /** Counts appends under way. */
  #next: CompactRange;
  #published: Published | undefined;
  /** One publication after the other. */
  #publishing: Promise<unknown> = Promise.resolve();

  private constructor(pending: PendingLog, files: TileFiles) {
    this.#pending = pending;
    this.#files = files;
    this.#durable = pending.range();
    this.#next = this.#durable;
    const note = pending.published();
    if (note !== undefined) this.#published = { note, checkpoint: parseCheckpoint(parseNote(note).text) };
  }

  /**
   * Opens the log in `folder`, made when missing, and finishes what a crash interrupted. The caller holds the lock on the state folder:
   * two writers of one log are not guarded against here.
   */
  static async open(folder: string): Promise<TransparencyLog> {
    const files = new TileFiles(join(folder, PUBLIC_FOLDER));
    const pending = await PendingLog.open(join(folder, PENDING_FOLDER));
    try {
      const log = new TransparencyLog(pending, files);
      await log.#recover();
      return log;
    } catch (cause) {
      await pending.close();
      throw cause;
    }
  }

  /** Durable entries. */
  get size(): number {
    return this.#durable.size;
  }

  /**
   * Adds entries in order and resolves with the index of the first one when all are durable; all or none are there after a crash. Calls
   * take effect in the order they were made. After a rejection the log takes no more: the caller ends the process.
   */
  async append(entries: readonly Uint8Array[]): Promise<number> {
    const first = this.#next.size;
    // Refuses entries that no bundle could hold, before anything is written.
    for (const entry of entries) encodeBundle([entry]);
    const completed: TreeNode[] = [];
    let range = this.#next;
    for (const entry of entries) {
      const appended = range.append(leafHash(entry));
      range = appended.range;
      completed.push(...appended.completed);
    }
    this.#next = range;
    failpoint('storage.before-log-append');
    await this.#pending.append(first, entries, completed, range);
    failpoint('storage.after-log-append');
    if (range.size > this.#durable.size) this.#durable = range;
    this.#recent.add(first, entries);
    return first;
  }

  /** Root of the first `size` entries, all durable ones unless stated. */
  root(size: number = this.size): Hash {
    this.#requireSize(size);
    return size === this.size ? this.#durable.root() : rootOf(size, this.#nodes());
  }

  /** That the first `size` entries hold the one at `index`. Throws transcript/out-of-range. */
  inclusion(index: number, size: number = this.size): Hash[] {
    this.#requireSize(size);
    return inclusionProof(index, size, this.#nodes());
  }

  /** That the first `to` entries begin with the first `from`. Throws transcript/out-of-range. */
  consistency(from: number, to: number = this.size): Hash[] {
    this.#requireSize(to);
    return consistencyProof(from, to, this.#nodes());
  }

  /** The entry at `index`. Throws storage/bad-range, and storage/damaged when it is not the one that the tree holds. */
  async entry(index: number): Promise<Uint8Array<ArrayBuffer>> {
    for await (const { bytes } of this.entries(index, 1)) return bytes;
    throw new StorageError('storage/bad-range', `the log has ${String(this.size)} entries, none at ${String(index)}`);
  }

  /** At most `count` entries from `first` on, not to be written to. Holds one bundle of 256 at a time. */
  async *entries(first: number, count: number): AsyncGenerator<NumberedEntry> {
    if (!Number.isSafeInteger(first) || first < 0)
      throw new StorageError('storage/bad-range', `${String(first)} is no index of an entry`);
    const end = Math.min(first + count, this.size);
    const nodes = this.#nodes();
    for (let index = first; index < end; ) {
      // Made and hashed by this process.
      const recent = this.#recent.at(index);
      if (recent !== undefined) {
        yield { index: index++, bytes: recent };
        continue;
      }
      const held = this.#pending.entry(index);
      const found = held === undefined ? await this.#fromBundle(index, end) : [held];
      for (const bytes of found) {
        if (!equalBytes(leafHash(bytes), nodes(0, index)))
          throw new StorageError('storage/damaged', `entry ${String(index)} of the log is not the one in its tree`);
        yield { index: index++, bytes };
      }
    }
  }

  /**
   * Makes a signed checkpoint of this log the latest one: writes every tile it needs, then the checkpoint. The same checkpoint again,
   * with other signatures, replaces the note. Whether the signatures verify is for the caller. Throws storage/log-mismatch for one
   * that is older than the published one or not of this log, and transcript/… for bytes that are none.
   */
  publish(note: Uint8Array): Promise<void> {
    const run = this.#publishing.then(() => this.#publish(Uint8Array.from(note)));
    this.#publishing = run.catch(() => undefined);
    return run;
  }

  /** The note that was published last. */
  latestCheckpoint(): Uint8Array<ArrayBuffer> | undefined {
    return this.#published === undefined ? undefined : Uint8Array.from(this.#published.note);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#publishing;
    await this.#pending.close();
  }

  async #publish(note: Uint8Array<ArrayBuffer>): Promise<void> {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    this.#requirePublishable(checkpoint);
    const before = this.#published?.checkpoint.size ?? 0;
    await this.#writeTiles(tilesBetween(before, checkpoint.size));
    failpoint('storage.before-log-publish');
    await this.#pending.publish(note);
    this.#published = { note, checkpoint };
    failpoint('storage.after-log-publish');
    await this.#files.writeCheckpoint(note);
    failpoint('storage.before-log-prune');
    await this.#pending.prune(checkpoint.size);
    failpoint('storage.after-log-prune');
    for (const tile of tilesBetween(before, checkpoint.size))
      if (tile.width === TILE_WIDTH) await this.#files.removePartials(tile);
  }

  #requirePublishable({ origin, size, root }: Checkpoint): void {
    const published = this.#published?.checkpoint;
    const problem =
      size > this.size
        ? `it has ${String(size)} entries and the log ${String(this.size)}`
        : published !== undefined && (size < published.size || origin !== published.origin)
          ? `it is ${origin} with ${String(size)} entries, and ${published.origin} with ${String(published.size)} is published`
          : equalBytes(this.root(size), root)
            ? undefined
            : `its root is not that of the first ${String(size)} entries`;
    if (problem !== undefined)
      throw new StorageError('storage/log-mismatch', `a checkpoint was not published: ${problem}`);
  }

  /** Everything here may be repeated, and may have been done in part. */
  async #recover(): Promise<void> {
    const size = this.#published?.checkpoint.size ?? 0;
    if (size > this.size)
      throw new StorageError(
        'storage/damaged',
        `the log has ${String(this.size)} entries, fewer than its published checkpoint with ${String(size)}`,
      );
    await this.#files.clearHalfWritten(tilesBetween(size - (size % TILE_WIDTH), this.size));
    if (this.#published === undefined) return;
    // What a partial tile holds is still pending, so one that the disk lost or cut is made anew.
    await this.#writeTiles(rightEdge(size).filter(({ width }) => width < TILE_WIDTH));
    await this.#files.writeCheckpoint(this.#published.note);
    await this.#pending.prune(size);
    for (const tile of rightEdge(size - (size % TILE_WIDTH)))
      if (tile.width === TILE_WIDTH) await this.#files.removePartials(tile);
  }

  async #writeTiles(tiles: Iterable<Tile>): Promise<void> {
    for (const tile of tiles) {
      const bytes = tile.kind === 'entries' ? this.#pendingBundle(tile) : this.#pendingHashes(tile);
      if (bytes === undefined) throw lost(tile);
      failpoint('storage.before-log-tile');
      await this.#files.write(tile, bytes);
      failpoint('storage.after-log-tile');
    }
  }

  #pendingBundle({ index, width }: Tile): Uint8Array<ArrayBuffer> | undefined {
    const entries: Uint8Array[] = [];
    for (let k = 0; k < width; k++) {
      const entry = this.#pending.entry(index * TILE_WIDTH + k);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    return encodeBundle(entries);
  }

  #pendingHashes(tile: Tile & { readonly kind: 'hashes' }): Uint8Array<ArrayBuffer> | undefined {
    const hashes: Uint8Array[] = [];
    for (let k = 0; k < tile.width; k++) {
      const hash = this.#pending.hash(tile.level, tile.index * TILE_WIDTH + k);
      if (hash === undefined) return undefined;
      hashes.push(hash);
    }
    return concat(...hashes);
  }

  /** The rest of the full bundle that holds `index`, up to `end`. */
  async #fromBundle(index: number, end: number): Promise<Uint8Array<ArrayBuffer>[]> {
    const tile: Tile = { kind: 'entries', index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH };
    const bytes = await this.#files.read(tile);
    if (bytes === undefined) throw lost(tile);
    const start = tile.index * TILE_WIDTH;
    try {
      return decodeBundle(bytes, TILE_WIDTH).slice(index - start, end - start);
    } catch (cause) {
      throw new StorageError('storage/damaged', `${tilePath(tile)} of the log is not a bundle of entries`, { cause });
    }
  }

  /** Nodes of the durable tree. Keeps the tiles it has read, so one reader is for one proof or page. */
  #nodes(): NodeReader {
    const held = new Map<string, Uint8Array>();
    return nodesFromTiles(this.size, (tile) => {
      const name = tilePath(tile);
      const known = held.get(name);
      if (known !== undefined) return known;
      if (tile.kind !== 'hashes') throw lost(tile);
      const bytes = this.#pendingHashes(tile) ?? this.#files.readSync({ ...tile, width: TILE_WIDTH });
      if (bytes === undefined) throw lost(tile);
      if (bytes.length < tile.width * HASH_BYTES)
        throw new StorageError('storage/damaged', `${tilePath(tile)} of the log is cut off`);
      if (held.size === TILES_HELD) held.clear();
      // A tile that was partial when this reader began may be full by now.
      const part = bytes.subarray(0, tile.width * HASH_BYTES);
      held.set(name, part);
      return part;
    });
  }

  #requireSize(size: number): void {
    if (size > this.size)
      throw new StorageError('storage/bad-range', `the log has ${String(this.size)} entries, not ${String(size)}`);
  }
}

/** Tiles of 8 KiB that one reader keeps. */
const TILES_HELD = 64;

function lost(tile: Tile): StorageError {
  return new StorageError('storage/damaged', `${tilePath(tile)} of the log is missing`);
}

/** The last tile of each level, and the last bundle, of a log of `size` entries. */
export function rightEdge(size: number): Tile[] {
  const tiles: Tile[] = [];
  const bundle = size === 0 ? undefined : bundleAt(Math.floor((size - 1) / TILE_WIDTH), size);
  if (bundle !== undefined) tiles.push(bundle);
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const tile = hashTileAt(level, Math.floor((count - 1) / TILE_WIDTH), size);
    if (tile !== undefined) tiles.push(tile);
  }
  return tiles;
}
