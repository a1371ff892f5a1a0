// The network: one link for each silo. Calls may get lost on the way there or on the way back, arrive twice, late, or in another order;
// streams keep their order, and break where a call would get lost.

import type { Random } from '../fuzz/random.js';
import type { LinkFault } from './script.js';
import type { Timeline } from './timeline.js';

/** After this a caller takes its call for lost. */
const CALL_TIMEOUT_MS = 1_500;
const DELAY_MS = 30;
const LONG_DELAY_MS = 4_000;

interface Fault {
  readonly fault: LinkFault;
  readonly until: number;
}

export interface Stream {
  readonly silo: number;
  cursor: bigint;
  /** Instant of the last delivery: none overtakes another. */
  last: number;
  open: boolean;
}

export class Network {
  readonly counts = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #faults = new Map<number, Fault[]>();
  /** Told of streams that break. */
  onCut: (silo: number) => void = () => undefined;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  disturb(silo: number, fault: LinkFault, forMs: number): void {
    this.count(`link ${fault}`);
    if (fault === 'cut' || fault === 'partition') this.onCut(silo);
    if (fault === 'cut') return;
    const until = this.#timeline.now + forMs;
    this.#faults.set(silo, [...(this.#faults.get(silo) ?? []), { fault, until }]);
  }

  heal(): void {
    this.#faults.clear();
  }

  reachable(silo: number): boolean {
    return !this.#has(silo, 'partition');
  }

  /**
   * A call and its answer. `arrive` runs at the other end, perhaps twice; `answered` is told what it returned, or undefined when the caller
   * cannot know whether it arrived.
   */
  call<T>(silo: number, arrive: () => T | undefined, answered: (value: T | undefined) => void): void {
    let done = false;
    const end = (value: T | undefined): void => {
      if (done) return;
      done = true;
      answered(value);
    };
    this.#timeline.after(CALL_TIMEOUT_MS + LONG_DELAY_MS, () => {
      end(undefined);
    });
    const lost = !this.reachable(silo) || (this.#has(silo, 'drop') && this.#random.once(2));
    if (lost) {
      this.count('request lost');
      this.#timeline.after(CALL_TIMEOUT_MS, () => {
        end(undefined);
      });
      return;
    }
    const copies = this.#has(silo, 'duplicate') && this.#random.once(2) ? 2 : 1;
    if (copies > 1) this.count('request duplicated');
    for (let copy = 0; copy < copies; copy++)
      this.#timeline.after(this.#delay(silo) + copy * this.#random.below(2_000), () => {
        const value = arrive();
        if (this.#has(silo, 'lose-answer') && this.#random.once(2)) {
          this.count('answer lost');
          return;
        }
        this.#timeline.after(this.#delay(silo), () => {
          end(value);
        });
      });
  }

  /** One message on a stream. */
  push(stream: Stream, deliver: () => void): void {
    const breaks = this.#has(stream.silo, 'drop') && this.#random.once(8);
    if (breaks || !this.reachable(stream.silo)) {
      this.count('stream broken');
      this.onCut(stream.silo);
      return;
    }
    stream.last = Math.max(stream.last, this.#timeline.now + this.#delay(stream.silo));
    this.#timeline.at(stream.last, () => {
      if (stream.open) deliver();
    });
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #has(silo: number, fault: LinkFault): boolean {
    return (this.#faults.get(silo) ?? []).some((one) => one.fault === fault && one.until > this.#timeline.now);
  }

  #delay(silo: number): number {
    const long = this.#has(silo, 'delay') && this.#random.once(2);
    return 1 + this.#random.below(long ? LONG_DELAY_MS : DELAY_MS);
  }
}
