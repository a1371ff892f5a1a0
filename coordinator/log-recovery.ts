// The journal comes first, the log after it: a crash between the two leaves entries out that the journal gives again when it is folded.

import { equalBytes } from '../src/base/index.js';
import { firstEntry, noteOf, type CoordinatorState } from '../src/protocol/index.js';
import { CoordinatorError } from './errors.js';
import type { Store } from './store.js';

export class LogRecovery {
  readonly #log: Store['log'];
  readonly #known: number;
  readonly #missing: Uint8Array[] = [];

  /** `initial`: the state before the first record. */
  constructor(log: Store['log'], initial: CoordinatorState) {
    this.#log = log;
    this.#known = log.size;
    if (initial.log !== undefined) this.take(0, [firstEntry(initial.self.roster.hash)]);
  }

  /** Entries that a record of the journal gives; those that the log has already are passed over. */
  take(first: number, entries: readonly Uint8Array[]): void {
    this.#missing.push(...entries.slice(Math.max(0, Math.min(entries.length, this.#known - first))));
  }

  /** Appends what is missing. Throws CoordinatorError `coordinator/log-mismatch` when the log is not the one that the journal gives. */
  async finish({ log }: CoordinatorState): Promise<void> {
    if (log === undefined) return;
    if (this.#missing.length > 0) await this.#log.append(this.#missing);
    const { size } = this.#log;
    if (size === log.range.size && equalBytes(this.#log.root(), log.range.root())) {
      const published = log.checkpoints.findLast((one) => one.quorumBy !== undefined);
      if (published !== undefined) await this.#publish(noteOf(published));
      return;
    }
    throw new CoordinatorError(
      'coordinator/log-mismatch',
      `the transparency log has ${String(size)} entries and the journal gives ${String(log.range.size)}, or their roots differ.`,
    );
  }

  async #publish(note: Uint8Array): Promise<void> {
    const latest = this.#log.latestCheckpoint();
    // Opening the log has finished what a crash interrupted.
    if (latest === undefined || !equalBytes(latest, note)) await this.#log.publish(note);
  }
}
