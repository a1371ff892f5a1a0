// fsck of the log: the tree computed again from the entries, and every file compared with it. Changes nothing. Holds one tile a level.

import { join } from 'node:path';
import { concat, equalBytes, hex, type Hash } from '../../base/index.js';
import { isTemporaryName } from '../../system/index.js';
import {
  bundleAt,
  CompactRange,
  decodeBundle,
  encodeBundle,
  hashTileAt,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseTilePath,
  TILE_LEVELS,
  TILE_WIDTH,
  tilePath,
  type Checkpoint,
  type Tile,
} from '../../transcript/index.js';
import type { CheckReport, Problem } from '../fsck.js';
import { PENDING_FOLDER, PUBLIC_FOLDER } from './log.js';
import { PendingLog } from './pending.js';
import { TileFiles } from './tile-files.js';

/** Checks the log in `folder` while no program has it open. Throws when it cannot be opened as a whole. */
export async function checkLog(folder: string): Promise<CheckReport> {
  const pending = await PendingLog.open(join(folder, PENDING_FOLDER), { readOnly: true });
  try {
    return await new Check(pending, new TileFiles(join(folder, PUBLIC_FOLDER))).run();
  } finally {
    await pending.close();
  }
}

class Check {
  readonly #pending: PendingLog;
  readonly #files: TileFiles;
  readonly #problems: Problem[] = [];
  readonly #stored: CompactRange;
  readonly #published: Checkpoint | undefined;
  readonly #note: Uint8Array | undefined;
  #whole = 0;
  #range = CompactRange.EMPTY;
  /** Hashes of the tile that is being filled at each tile level. */
  readonly #filling: Hash[][] = [];
  #bundle: Uint8Array[] = [];

  constructor(pending: PendingLog, files: TileFiles) {
    this.#pending = pending;
    this.#files = files;
    this.#stored = pending.range();
    this.#note = pending.published();
    this.#published = this.#note === undefined ? undefined : parseCheckpoint(parseNote(this.#note).text);
  }

  async run(): Promise<CheckReport> {
    await this.#checkCheckpoint();
    const size = this.#stored.size;
    for (let index = 0; index < size; index += TILE_WIDTH) {
      const entries = await this.#entriesFrom(index, Math.min(TILE_WIDTH, size - index));
      // Without its entries nothing after it can be judged.
      if (entries === undefined) return this.#report();
      for (const entry of entries) await this.#add(entry);
    }
    if (this.#published?.size === 0) await this.#atPublished(this.#published);
    if (!equalBytes(this.#range.root(), this.#stored.root()))
      this.#problem('root', `the entries give ${hex(this.#range.root())}, stored is ${hex(this.#stored.root())}`);
    await this.#checkStrangers();
    return this.#report();
  }

  async #checkCheckpoint(): Promise<void> {
    const file = await this.#files.readCheckpoint();
    if (this.#note === undefined) {
      if (file !== undefined) this.#problem('checkpoint', 'a file is there and nothing was published');
      return;
    }
    if (file === undefined || !equalBytes(file, this.#note))
      this.#problem('checkpoint', 'the file is not the note that was published; opening the log writes it again');
    else this.#whole += 1;
    const { size } = parseCheckpoint(parseNote(this.#note).text);
    if (size > this.#stored.size)
      this.#problem('checkpoint', `it has ${String(size)} entries and the log ${String(this.#stored.size)}`);
  }

  async #entriesFrom(first: number, width: number): Promise<Uint8Array[] | undefined> {
    const held = this.#pending.entry(first);
    if (held !== undefined) return this.#pendingFrom(first, width);
    const tile: Tile = { kind: 'entries', index: first / TILE_WIDTH, width: TILE_WIDTH };
    const bytes = await this.#files.read(tile);
    try {
      if (bytes !== undefined) return decodeBundle(bytes, TILE_WIDTH).slice(0, width);
      this.#problem(tilePath(tile), 'missing, and its entries are nowhere else');
    } catch (cause) {
      this.#problem(tilePath(tile), cause instanceof Error ? cause.message : 'unreadable');
    }
    return undefined;
  }

  #pendingFrom(first: number, width: number): Uint8Array[] | undefined {
    const entries: Uint8Array[] = [];
    for (let index = first; index < first + width; index++) {
      const entry = this.#pending.entry(index);
      if (entry === undefined) {
        this.#problem(`entry ${String(index)}`, 'missing');
        return undefined;
      }
      entries.push(entry);
    }
    return entries;
  }

  async #add(entry: Uint8Array): Promise<void> {
    const { range, completed } = this.#range.append(leafHash(entry));
    this.#range = range;
    this.#bundle.push(entry);
    for (const { level, index, hash } of completed) {
      if (level % TILE_LEVELS !== 0) continue;
      const row = (this.#filling[level / TILE_LEVELS] ??= []);
      row.push(hash);
      const kept = this.#pending.hash(level / TILE_LEVELS, index);
      if (kept !== undefined && !equalBytes(kept, hash))
        this.#problem(
          `hash ${String(index)} of tile level ${String(level / TILE_LEVELS)}`,
          'is not that of its entries',
        );
    }
    if (this.#published !== undefined && range.size === this.#published.size) await this.#atPublished(this.#published);
    await this.#closeFull();
  }

  /** Compares tiles that have just become full, and forgets them. */
  async #closeFull(): Promise<void> {
    if (this.#bundle.length === TILE_WIDTH) {
      const index = this.#range.size / TILE_WIDTH - 1;
      await this.#compare({ kind: 'entries', index, width: TILE_WIDTH }, encodeBundle(this.#bundle));
      this.#bundle = [];
    }
    for (const [level, row] of this.#filling.entries()) {
      if (row.length < TILE_WIDTH) continue;
      const index = this.#range.size / TILE_WIDTH ** (level + 1) - 1;
      await this.#compare({ kind: 'hashes', level, index, width: TILE_WIDTH }, concat(...row));
      this.#filling[level] = [];
    }
  }

  /** The tree at the size of the checkpoint: its root, and the partial tiles that it needs. */
  async #atPublished({ size, root }: Checkpoint): Promise<void> {
    if (!equalBytes(this.#range.root(), root))
      this.#problem('checkpoint', `its root is not that of the first ${String(size)} entries`);
    if (this.#bundle.length % TILE_WIDTH > 0)
      await this.#compare(
        { kind: 'entries', index: Math.floor(size / TILE_WIDTH), width: this.#bundle.length },
        encodeBundle(this.#bundle),
      );
    for (const [level, row] of this.#filling.entries())
      if (row.length % TILE_WIDTH > 0)
        await this.#compare(
          { kind: 'hashes', level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width: row.length },
          concat(...row),
        );
  }

  async #compare(tile: Tile, expected: Uint8Array): Promise<void> {
    const bytes = await this.#files.read(tile);
    if (bytes !== undefined && equalBytes(bytes, expected)) this.#whole += 1;
    else if (bytes !== undefined) this.#problem(tilePath(tile), 'is not that of its entries');
    else if (this.#isNeeded(tile)) this.#problem(tilePath(tile), 'missing');
  }

  #isNeeded(tile: Tile): boolean {
    const size = this.#published?.size ?? 0;
    const there = tile.kind === 'entries' ? bundleAt(tile.index, size) : hashTileAt(tile.level, tile.index, size);
    return there?.width === tile.width;
  }

  /** Files that no log of this size has, or that a crash left. Partial tiles of earlier checkpoints may stay. */
  async #checkStrangers(): Promise<void> {
    const size = this.#stored.size;
    for await (const path of this.#files.list()) {
      if (path === 'checkpoint') continue;
      const tile = parseTilePath(path);
      const there =
        tile === undefined
          ? undefined
          : tile.kind === 'entries'
            ? bundleAt(tile.index, size)
            : hashTileAt(tile.level, tile.index, size);
      if (tile !== undefined && there !== undefined && there.width >= tile.width) continue;
      const name = path.split('/').at(-1) ?? '';
      this.#problem(path, isTemporaryName(name) ? 'left half written' : 'is no tile of this log');
    }
  }

  #problem(where: string, what: string): void {
    this.#problems.push({ where, what });
  }

  #report(): CheckReport {
    return { whole: this.#whole, problems: this.#problems };
  }
}
