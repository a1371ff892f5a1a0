// Secrets of closed rounds leave the journal: the state as it is between rounds is written down whole, and the records that it was folded
// from are erased in the same transaction (`retention` of the configuration). While any round is open they stay, because it rests on them.

import type { UnixMs } from '../src/base/index.js';
import { keptAs, type SiloJournalledEvent, type SiloState } from '../src/protocol/index.js';

const HOUR_MS = 3_600_000;

export class Forgetting {
  readonly #hours: number;
  /** When the oldest round was closed whose secrets are still in the journal; undefined for none. */
  #since: UnixMs | undefined;

  constructor(hours: number) {
    this.#hours = hours;
  }

  /** After each record: `at` is its time. */
  note(event: SiloJournalledEvent, at: UnixMs): void {
    if (event.$case === 'stateKept') this.#since = undefined;
    else if (event.$case === 'resultVerified' || event.$case === 'abandoned') this.#since ??= at;
  }

  /** What to write in place of everything before, when it is time and nothing is open; otherwise nothing. */
  due(state: SiloState, now: UnixMs): SiloJournalledEvent[] {
    if (this.#since === undefined || now < this.#since + this.#hours * HOUR_MS) return [];
    for (const { open } of state.jobs.values()) if (open !== undefined) return [];
    return keptAs(state);
  }
}
