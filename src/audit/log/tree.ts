// The log of a bundle: every entry is appended to a tree, whose root at any size is then known.

import { defined, type Hash } from '../../base/index.js';
import { CompactRange, decodeEntry, leafHash, rootOf, type LogEntry } from '../../transcript/index.js';
import { bad } from '../bundle/contents.js';
import type { BundleReader } from '../bundle/reader.js';
import { PART } from '../parts.js';

const PIECE_BYTES = 1 << 20;

export interface Numbered {
  readonly index: number;
  readonly entry: LogEntry;
}

export class LogTree {
  #range = CompactRange.EMPTY;
  /** Hashes of complete subtrees, by level. */
  readonly #levels: Hash[][] = [];

  get size(): number {
    return this.#range.size;
  }

  append(bytes: Uint8Array): void {
    const { range, completed } = this.#range.append(leafHash(bytes));
    this.#range = range;
    for (const { level, index, hash } of completed) (this.#levels[level] ??= [])[index] = hash;
  }

  /** Of the first `size` entries, at most all. */
  root(size: number): Hash {
    return rootOf(size, (level, index) => defined(this.#levels[level]?.[index], 'a node of the tree'));
  }
}

/** The entries in order, as they are hashed. Throws VerifyError `verify/bundle`, `verify/missing-part`. */
export function* entryBytes(bundle: BundleReader): Generator<Uint8Array> {
  const size = bundle.sizeOf(PART.entries);
  let held = new Uint8Array(0);
  let start = 0;
  // A piece holds at least one whole entry, since it is larger than the longest.
  for (let at = 0; at < size; ) {
    if (at < start || at + 2 > start + held.length || at + 2 + lengthAt(held, at - start) > start + held.length) {
      start = at;
      held = bundle.slice(PART.entries, at, PIECE_BYTES).slice();
      if (held.length < 2 || held.length < 2 + lengthAt(held, 0)) throw bad('its log ends in the middle of an entry');
    }
    const length = lengthAt(held, at - start);
    yield held.slice(at - start + 2, at - start + 2 + length);
    at += 2 + length;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Throws TranscriptError on what is no entry. */
export function numbered(index: number, bytes: Uint8Array): Numbered {
  return { index, entry: decodeEntry(bytes) };
}
