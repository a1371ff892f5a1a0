// The part of the log that must take a single entry durably: an LMDB environment with the edge of the tree, the entries and tile hashes
// that no full tile file holds yet, and the note of the published checkpoint.

import { concat, equalBytes, u64be, utf8 } from '../../base/index.js';
import { CompactRange, TILE_LEVELS, TILE_WIDTH, type TreeNode } from '../../transcript/index.js';
import type { Change } from '../environment.js';
import { Environment } from '../environment.js';
import { StorageError } from '../errors.js';

const FORMAT = utf8('veilsum-log/1');
/** One byte in front of every key: which table it belongs to. */
const TABLE = { meta: 0, entry: 1, hash: 2 } as const;
// LMDB cannot tell an empty value from none.
const PRESENT = Uint8Array.of(0);
/** Records removed in one transaction: pruning holds this many places in memory. */
const PRUNE_BATCH = 1024;

const metaPlace = (name: 'format' | 'range' | 'published'): Uint8Array => concat(Uint8Array.of(TABLE.meta), utf8(name));
const entryPlace = (index: number): Uint8Array => concat(Uint8Array.of(TABLE.entry), u64be(index));
const hashPlace = (level: number, index: number): Uint8Array => concat(Uint8Array.of(TABLE.hash, level), u64be(index));

export class PendingLog {
  readonly #environment: Environment;

  private constructor(environment: Environment) {
    this.#environment = environment;
  }

  static async open(path: string, options: { readonly readOnly?: boolean } = {}): Promise<PendingLog> {
    const environment = await Environment.open(path, options);
    try {
      const format = environment.get(metaPlace('format'));
      if (format === undefined && options.readOnly !== true)
        await environment.commit([{ kind: 'put', place: metaPlace('format'), value: FORMAT }]);
      else if (format === undefined || !equalBytes(format, FORMAT))
        throw new StorageError('storage/unknown-format', 'the folder does not hold a log of the format veilsum-log/1');
      return new PendingLog(environment);
    } catch (cause) {
      await environment.close();
      throw cause;
    }
  }

  /** The edge of the tree of all durable entries. */
  range(): CompactRange {
    const bytes = this.#environment.get(metaPlace('range'));
    return bytes === undefined ? CompactRange.EMPTY : CompactRange.decode(bytes);
  }

  /** The note of the published checkpoint. */
  published(): Uint8Array<ArrayBuffer> | undefined {
    return this.#environment.get(metaPlace('published'));
  }

  entry(index: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#environment.get(entryPlace(index))?.slice(PRESENT.length);
  }

  /** A hash of a tile: `level` and `index` count tile levels. */
  hash(level: number, index: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#environment.get(hashPlace(level, index));
  }

  /** Entries from `first` on with the nodes they completed and the edge after them; all or nothing, durable when it resolves. */
  async append(
    first: number,
    entries: readonly Uint8Array[],
    completed: readonly TreeNode[],
    range: CompactRange,
  ): Promise<void> {
    const changes: Change[] = entries.map((entry, k) => ({
      kind: 'put',
      place: entryPlace(first + k),
      value: concat(PRESENT, entry),
    }));
    for (const { level, index, hash } of completed)
      if (level % TILE_LEVELS === 0)
        changes.push({ kind: 'put', place: hashPlace(level / TILE_LEVELS, index), value: hash });
    changes.push({ kind: 'put', place: metaPlace('range'), value: range.encode() });
    await this.#environment.commit(changes);
  }

  async publish(note: Uint8Array): Promise<void> {
    await this.#environment.commit([{ kind: 'put', place: metaPlace('published'), value: note }]);
  }

  /** Forgets what the full tiles of a log of `size` entries hold. Safe to repeat after a crash in its middle. */
  async prune(size: number): Promise<void> {
    const full = (count: number): number => count - (count % TILE_WIDTH);
    await this.#removeRange(entryPlace(0), entryPlace(full(size)));
    for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH))
      await this.#removeRange(hashPlace(level, 0), hashPlace(level, full(count)));
  }

  async #removeRange(start: Uint8Array, end: Uint8Array): Promise<void> {
    for (let changes: Change[]; ; ) {
      changes = [];
      for (const { place } of this.#environment.range({ start, end })) {
        changes.push({ kind: 'remove', place });
        if (changes.length === PRUNE_BATCH) break;
      }
      if (changes.length === 0) return;
      await this.#environment.commit(changes);
    }
  }

  close(): Promise<void> {
    return this.#environment.close();
  }
}
