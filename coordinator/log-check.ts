// fsck of the transparency log of a stopped coordinator: its own files first, then whether it is the log that the journal gives. Entries
// that a crash left out after their record are no damage: the next start appends them.

import { join } from 'node:path';
import { equalBytes, type Hash } from '../src/base/index.js';
import { firstEntry, type CoordinatorState } from '../src/protocol/index.js';
import { checkLog, StorageError, TransparencyLog, type CheckReport } from '../src/storage/index.js';
import { CompactRange, leafHash } from '../src/transcript/index.js';

export class LogCheck {
  readonly #own: CheckReport;
  readonly #size: number;
  readonly #root: Hash | undefined;
  #range = CompactRange.EMPTY;
  #differs = false;

  private constructor(own: CheckReport, size: number, root: Hash | undefined) {
    this.#own = own;
    this.#size = size;
    this.#root = root;
  }

  /** Looks at the log in the state folder; undefined where the consortium keeps none. `initial`: the state before the first record. */
  static async open(state: string, initial: CoordinatorState): Promise<LogCheck | undefined> {
    if (initial.log === undefined) return undefined;
    const folder = join(state, 'log');
    const own = await checked(folder);
    if (own.problems.length > 0) return new LogCheck(own, 0, undefined);
    const log = await TransparencyLog.open(folder);
    const check = new LogCheck(own, log.size, log.size === 0 ? undefined : log.root());
    await log.close();
    check.take(0, [firstEntry(initial.self.roster.hash)]);
    return check;
  }

  /** Entries that a record of the journal gives, from `first` on. */
  take(first: number, entries: readonly Uint8Array[]): void {
    if (first !== this.#range.size) this.#differs = true;
    for (const entry of entries) {
      this.#range = this.#range.append(leafHash(entry)).range;
      if (this.#range.size !== this.#size || this.#root === undefined) continue;
      this.#differs ||= !equalBytes(this.#range.root(), this.#root);
    }
  }

  /** `folded`: every record of the journal was taken. */
  report(folded: boolean): CheckReport {
    const problems = [...this.#own.problems];
    if (problems.length === 0 && folded) {
      const { size } = this.#range;
      if (this.#differs)
        problems.push({ where: 'journal', what: `it gives other entries than the ${String(this.#size)} of the log` });
      else if (this.#size > size)
        problems.push({
          where: 'journal',
          what: `it gives ${String(size)} entries, the log has ${String(this.#size)}`,
        });
    }
    return { whole: this.#own.whole, problems };
  }
}

async function checked(folder: string): Promise<CheckReport> {
  try {
    return await checkLog(folder);
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    return { whole: 0, problems: [{ where: 'log', what: `${cause.code}: ${cause.message}` }] };
  }
}
