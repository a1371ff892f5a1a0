// Each coordinator adds up the inputs it took itself. When an attempt's inputs are closed, those that do not lead hand in what they have, and
// the one that leads adds the rest from the uploads. A partial sum only saves work: the inputs stay until nobody can need them, so of one
// that never comes nothing is lost, and the sum is the same number by number.

import { performance } from 'node:perf_hooks';
import { hex } from '../../src/base/index.js';
import { pendingComputations, type CoordinatorState, type RoundContext } from '../../src/protocol/index.js';
import type { Meeting, ObjectStore, SharedStore } from '../../src/storage/index.js';
import { plainSha256 } from '../../src/storage/index.js';
import type { Log } from '../../src/telemetry/index.js';
import { decode, encode, PartialSum, type BlobRef } from '../../src/wire/index.js';
import { sumName, type Computation, type Partial } from '../compute.js';

/** How long the one that leads waits for the others before it adds up their inputs itself. */
const WAIT_MS = 10_000;

export interface PartialSumsOptions {
  readonly shared: SharedStore;
  readonly computation: Computation;
  readonly log: Log;
  /** How long a coordinator may be silent and count as living. */
  readonly aliveMs: number;
}

export class PartialSums {
  readonly #options: PartialSumsOptions;
  readonly #meeting: Meeting;
  readonly #objects: ObjectStore;
  readonly #offered = new Set<string>();

  constructor(options: PartialSumsOptions) {
    this.#options = options;
    this.#meeting = options.shared.meeting;
    this.#objects = options.shared.objects('partials');
  }

  /** Hands in what this process has of every attempt whose inputs are closed, once; empty hands count as an answer. */
  async offer(state: CoordinatorState): Promise<void> {
    for (const effect of pendingComputations(state)) {
      if (effect.kind !== 'compute-sum') continue;
      const name = sumName(effect.context);
      if (this.#offered.has(name)) continue;
      this.#offered.add(name);
      const partial = await this.#options.computation.partialOf(effect.context, effect.inputs);
      const sum = partial === undefined ? undefined : await this.#kept(partial);
      const body = encode(PartialSum, { indices: [...(partial?.indices ?? [])], sum });
      const { plan, attempt } = effect.context;
      await this.#meeting.publishPartial(plan.rid, attempt.attempt, body);
    }
    this.#forget(state);
  }

  async #kept({ pieces }: Partial): Promise<BlobRef> {
    const content = plainSha256();
    let size = 0n;
    for await (const piece of pieces(0)) {
      content.update(piece);
      size += BigInt(piece.length);
    }
    const sha256 = Uint8Array.from(content.digest());
    await this.#objects.put(hex(sha256), pieces(0));
    return { sha256, size };
  }

  /** Sums of attempts that are over, or whose sum is known. */
  #forget({ jobs }: CoordinatorState): void {
    const wanted = new Set<string>();
    for (const { open } of jobs.values()) if (open?.attempt.phase === 'mask') wanted.add(sumName(open.attempt.context));
    this.#options.computation.forgetAllBut(wanted);
    for (const name of this.#offered) if (!wanted.has(name)) this.#offered.delete(name);
  }

  /** At the one that leads: what the others have, when all that live have answered or time is up. */
  readonly gather = async (context: RoundContext, indices: ReadonlySet<number>): Promise<readonly Partial[]> => {
    const { shared, log, aliveMs } = this.#options;
    const { plan, attempt } = context;
    const until = performance.now() + WAIT_MS;
    let found = new Map<string, Uint8Array>();
    for (;;) {
      const heard = shared.bell.heard('partial', 250);
      found = await this.#meeting.partials(plan.rid, attempt.attempt);
      const living = await this.#meeting.others(aliveMs);
      if (living.every(({ id }) => found.has(id)) || performance.now() > until) break;
      await heard;
    }
    const partials: Partial[] = [];
    for (const body of found.values()) {
      const { indices: theirs, sum } = decode(PartialSum, 'partial sum', body);
      if (sum === undefined || theirs.length === 0 || !theirs.every((index) => indices.has(index))) continue;
      partials.push({ indices: theirs, pieces: (bytes) => this.#read(hex(sum.sha256), bytes) });
    }
    if (found.size > 0)
      log.info('sum.combined', {
        job: plan.jobId,
        round: plan.round,
        attempt: attempt.attempt,
        inputs: indices.size,
        fromOthers: partials.reduce((all, one) => all + one.indices.length, 0),
      });
    return partials;
  };

  async *#read(name: string, pieceBytes: number): AsyncGenerator<Uint8Array> {
    yield* this.#objects.readChunks(name, pieceBytes);
  }

  /** At the one that leads: partial sums that nobody will ask for go, whoever was killed before it could. */
  async tidy(state: CoordinatorState): Promise<void> {
    const wanted = new Set<string>();
    for (const { open } of state.jobs.values()) if (open !== undefined) wanted.add(sumName(open.attempt.context));
    for (const { rid, attempt, coordinator, body } of await this.#meeting.allPartials()) {
      if (wanted.has(`${hex(rid)}.${String(attempt)}`)) continue;
      const { sum } = decode(PartialSum, 'partial sum', body);
      if (sum !== undefined) await this.#objects.delete(hex(sum.sha256));
      await this.#meeting.dropPartial(rid, attempt, coordinator);
    }
  }
}
