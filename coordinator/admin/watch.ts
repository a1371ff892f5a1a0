// The live view of a job's rounds. Changes are not queued: a reader that is slow is given each round as it is when the reader gets to
// it, so memory per watcher is one reference a round, however fast the state moves.

import type { ClosedRound, CoordinatorJob, CoordinatorRound } from '../../src/protocol/index.js';
import { equalBytes } from '../../src/base/index.js';
import { encode, Job, type WatchRoundsResponse } from '../../src/wire/index.js';
import { isOver, jobView } from './job-view.js';
import { isClosed, roundOf, roundsOf, roundView } from './round-view.js';
import type { AdminSource } from './source.js';

/**
 * The job and every round once, then each change: rounds first, the job after them. Ends when the job is over and its last state was
 * given, or when `signal` aborts. `current`: the job as it is now; jobs are never removed.
 */
export async function* watchJob(
  source: Pick<AdminSource, 'onChange' | 'connected'>,
  current: () => CoordinatorJob,
  signal: AbortSignal,
): AsyncGenerator<WatchRoundsResponse, void, undefined> {
  const changes = new Changes(source, signal);
  const seen = new Seen((silo) => source.connected(silo));
  try {
    yield { update: { $case: 'job', value: seen.job(current()) } };
    while (!signal.aborted) {
      const before = changes.count;
      for (let number = 1; number <= roundsOf(current()); number++) {
        const round = roundOf(current(), number);
        if (round === undefined || !seen.differs(number, round)) continue;
        yield { update: { $case: 'round', value: seen.round(number, round) } };
      }
      const job = current();
      if (seen.jobDiffers(job)) yield { update: { $case: 'job', value: seen.job(job) } };
      if (changes.count !== before) continue;
      if (isOver(job)) return;
      await changes.next();
    }
  } finally {
    changes.stop();
  }
}

/** Counts changes and wakes who waits for the next one. */
class Changes {
  count = 0;
  #wake = (): void => undefined;
  readonly #note = (): void => {
    this.count += 1;
    this.#wake();
  };
  readonly #signal: AbortSignal;
  readonly #unsubscribe: () => void;

  constructor(source: Pick<AdminSource, 'onChange'>, signal: AbortSignal) {
    this.#signal = signal;
    this.#unsubscribe = source.onChange(this.#note);
    signal.addEventListener('abort', this.#note);
  }

  /** Called without an await since `count` was read, so no change can fall between the two. */
  async next(): Promise<void> {
    if (this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  stop(): void {
    this.#unsubscribe();
    this.#signal.removeEventListener('abort', this.#note);
  }
}

interface Sent {
  /** States are never changed in place, so the same object is the same state. */
  readonly round: ClosedRound | CoordinatorRound;
  readonly presence: string;
}

/** What the reader has. */
class Seen {
  readonly #rounds = new Map<number, Sent>();
  #job: Uint8Array = new Uint8Array();
  readonly #connected: AdminSource['connected'];

  constructor(connected: AdminSource['connected']) {
    this.#connected = connected;
  }

  differs(number: number, round: ClosedRound | CoordinatorRound): boolean {
    const sent = this.#rounds.get(number);
    return sent?.round !== round || sent.presence !== this.#presence(round);
  }

  round(number: number, round: ClosedRound | CoordinatorRound) {
    this.#rounds.set(number, { round, presence: this.#presence(round) });
    return roundView(round, this.#connected);
  }

  jobDiffers(job: CoordinatorJob): boolean {
    return !equalBytes(this.#job, encode(Job, jobView(job)));
  }

  job(job: CoordinatorJob): Job {
    const view = jobView(job);
    this.#job = encode(Job, view);
    return view;
  }

  /** Who is there matters while a round waits for them. */
  #presence(round: ClosedRound | CoordinatorRound): string {
    if (isClosed(round)) return '';
    return round.plan.cohort.map((silo) => (this.#connected(silo) ? '1' : '0')).join('');
  }
}
