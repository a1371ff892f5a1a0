// The disk of one process: a journal of framed records, and the faults that can befall an append. A record counts when its frame is whole;
// what a crash leaves of a half-written last one is dropped by the next start, and a broken one before others is refused.

import { concat, equalBytes, u32be } from '../../src/base/index.js';
import { sha256 } from '../../src/crypto/index.js';

/**
 * What happens at an append: the process dies before what it wrote was durable, in the middle, for want of space, of an input or output error
 * after which nobody knows what is there (every second time it is), or some effects later.
 */
export type Edge = 'lost' | 'torn' | 'full' | 'io' | 'after';

export interface Trap {
  readonly edge: Edge;
  /** For `after`: how many more effects of the same event are done first. */
  readonly effects: number;
}

/** The process has ended; whoever runs it lets it rest and starts it again. */
export class Killed extends Error {}

const DIGEST = 32;

export class Disk {
  readonly traps = new Map<number, Trap>();
  /** Appends ever tried: what traps count by. */
  tried = 0;
  /** Set by a trap that goes off some effects after its record. */
  fuse: number | undefined;
  #frames: Uint8Array[] = [];

  get length(): number {
    return this.#frames.length;
  }

  append(record: Uint8Array): void {
    const trap = this.traps.get(++this.tried);
    if (trap === undefined) {
      this.#frames.push(frame(record));
      return;
    }
    this.traps.delete(this.tried);
    if (trap.edge === 'torn') this.#frames.push(frame(record).subarray(0, DIGEST + 4 + Math.floor(record.length / 2)));
    if (trap.edge === 'io' && this.tried % 2 === 0) this.#frames.push(frame(record));
    if (trap.edge !== 'after') throw new Killed(trap.edge);
    this.#frames.push(frame(record));
    this.fuse = trap.effects;
  }

  /** All whole records; a torn last one is cut off. Throws when an earlier one is broken. */
  read(): Uint8Array[] {
    const records: Uint8Array[] = [];
    for (const [k, bytes] of this.#frames.entries()) {
      const record = unframe(bytes);
      if (record !== undefined) records.push(record);
      else if (k < this.#frames.length - 1) throw new Error(`record ${k} of ${this.#frames.length} is broken`);
    }
    this.#frames = this.#frames.slice(0, records.length);
    return records;
  }

  /** An old snapshot of the disk is put back: the last records never were. */
  forget(records: number): void {
    this.#frames = this.#frames.slice(0, Math.max(0, this.#frames.length - records));
  }
}

function frame(record: Uint8Array): Uint8Array {
  return concat(sha256(record), u32be(record.length), record);
}

function unframe(bytes: Uint8Array): Uint8Array | undefined {
  const record = bytes.subarray(DIGEST + 4);
  return equalBytes(bytes.subarray(0, DIGEST), sha256(record)) ? record : undefined;
}
