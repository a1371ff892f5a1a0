// The newest entries of the log, in memory: every silo reads each of them, and most read it as soon as it is there.

/** Bytes that are held, with some hundred more for each entry. A round of 200 silos adds about half of it. */
const RECENT_BYTES = 2 * 1024 * 1024;

export class RecentEntries {
  /** By index; ascending, because entries are added in order. */
  readonly #entries = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #most: number;
  #bytes = 0;

  constructor(most = RECENT_BYTES) {
    this.#most = most;
  }

  /** Durable entries from `first` on. */
  add(first: number, entries: readonly Uint8Array[]): void {
    entries.forEach((entry, k) => {
      this.#entries.set(first + k, Uint8Array.from(entry));
      this.#bytes += entry.length;
    });
    for (const [index, entry] of this.#entries) {
      if (this.#bytes <= this.#most) return;
      this.#entries.delete(index);
      this.#bytes -= entry.length;
    }
  }

  /** The entry itself, not a copy. */
  at(index: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#entries.get(index);
  }
}
