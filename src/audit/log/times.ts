// Times that entries claim, against each other and against the clocks of the silos that cosigned them: a log that was made later than
// it says does not fit.

import { isoTime, unixMs } from '../../base/index.js';
import { VerifyError } from '../errors.js';
import { AUDIT_LIMITS } from '../limits.js';
import type { KeptCheckpoint } from './checkpoint.js';

const TOLERANCE = AUDIT_LIMITS.clockToleranceMs;

export class TimeCheck {
  readonly #until: number;
  readonly #previous: { readonly size: number; readonly at: number } | undefined;
  #latest = 0;
  #latestAt = 0;

  constructor(checkpoint: KeptCheckpoint, previous: KeptCheckpoint | undefined) {
    this.#until = medianOf(checkpoint) ?? Infinity;
    const at = previous === undefined ? undefined : medianOf(previous);
    this.#previous = previous === undefined || at === undefined ? undefined : { size: previous.size, at };
  }

  /** Throws VerifyError `verify/back-dated`. */
  add(index: number, recordedAt: number): void {
    const refuse = (why: string): never => {
      throw new VerifyError(
        'verify/back-dated',
        `entry ${String(index)} says that it was recorded at ${iso(recordedAt)}, ${why}.`,
        [index],
      );
    };
    if (recordedAt < this.#latest - TOLERANCE)
      refuse(`entry ${String(this.#latestAt)} before it at ${iso(this.#latest)}`);
    if (recordedAt > this.#until + TOLERANCE)
      refuse(`silos cosigned a checkpoint that holds it at ${iso(this.#until)}`);
    if (this.#previous !== undefined && index >= this.#previous.size && recordedAt < this.#previous.at - TOLERANCE)
      refuse(`the earlier checkpoint without it was cosigned at ${iso(this.#previous.at)}`);
    if (recordedAt > this.#latest) {
      this.#latest = recordedAt;
      this.#latestAt = index;
    }
  }
}

/** Milliseconds; with at most c of them wrong, no witness decides it alone. */
function medianOf({ cosigned }: KeptCheckpoint): number | undefined {
  const times = [...cosigned.values()].sort((a, b) => a - b);
  const middle = times[times.length >> 1];
  return middle === undefined ? undefined : 1000 * middle;
}

function iso(at: number): string {
  return isoTime(unixMs(at));
}
