// Secrets of closed rounds leave the journal: the state as it is between rounds is written down whole, and the records that it was folded
// from are erased in the same transaction (`retention` of the configuration). While any round is open they stay, because it rests on them.

import { unixMs, type UnixMs } from '../src/base/index.js';
import { keptAs, type SiloJournalledEvent, type SiloState } from '../src/protocol/index.js';

const HOUR_MS = 3_600_000;

export class Forgetting {
  readonly #keptMs: number;
  /** When the oldest round was closed whose secrets are still in the journal; undefined for none. */
  #since: UnixMs | undefined;

  constructor(hours: number) {
    this.#keptMs = hours * HOUR_MS;
  }

  /** After each record: `at` is its time. */
  note(event: SiloJournalledEvent, at: UnixMs): void {
    if (event.$case === 'stateKept') this.#since = undefined;
    else if (event.$case === 'resultVerified' || event.$case === 'abandoned') this.#since ??= at;
  }

  /** What to write in place of everything before, when it is time and nothing is open; otherwise nothing. */
  due(state: SiloState, now: UnixMs): SiloJournalledEvent[] {
    const at = this.dueAt(state);
    return at === undefined || now < at ? [] : keptAs(state);
  }

  /** When there will be something to do even if nothing happens any more; undefined while a round is open, for its end is an event. */
  dueAt(state: SiloState): UnixMs | undefined {
    if (this.#since === undefined) return undefined;
    for (const { open } of state.jobs.values()) if (open !== undefined) return undefined;
    return unixMs(this.#since + this.#keptMs);
  }
}
