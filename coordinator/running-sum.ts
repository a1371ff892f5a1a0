// Y while inputs arrive: each masked input is added from its spool file as soon as it is complete, so that closing U3 costs nothing more.
// One vector of 5 bytes a coordinate per open attempt, whatever the cohort; a sum of 200 words of 32 bits fits its 40 bits.

import { invariant } from '../src/base/index.js';
import { allOf, inOrder, lender, type Lane } from '../src/compute/index.js';
import { PIECE_COORDINATES } from '../src/protocol/index.js';
import type { StoredUpload } from '../src/storage/index.js';
import { addSums, packedBytes, packSums, sumWidth, unpackInto, type WideSums } from '../src/vector/index.js';

export type OpenUpload = (index: number) => Promise<Pick<StoredUpload, 'readChunks'>>;

export class RunningSum {
  readonly #length: number;
  readonly #sums: WideSums;
  readonly #bits: number;
  readonly #lane: Lane;
  readonly #open: OpenUpload;
  readonly #added = new Set<number>();
  #last: Promise<void> = Promise.resolve();

  /** `length`: d. `open`: the complete upload of a cohort index. */
  constructor(length: number, modulusBits: number, lane: Lane, open: OpenUpload) {
    this.#length = length;
    this.#sums = { low: new Uint32Array(lane.room(4 * length).buffer), high: lane.room(length) };
    this.#bits = modulusBits;
    this.#lane = lane;
    this.#open = open;
  }

  /** Adds an input that is complete, after those before it. A failure shows when the sum is asked for. */
  add(index: number): void {
    this.#last = this.#last.then(() => this.#addNow(index));
    // Reported by `packed`, which waits for the same promise.
    this.#last.catch(() => undefined);
  }

  /** Ranges of one input are added side by side; no two inputs at once, since they meet in the same coordinates. */
  async #addNow(index: number): Promise<void> {
    if (this.#added.has(index)) return;
    const { range } = this.#lane;
    const upload = await this.#open(index);
    const size = packedBytes(Math.min(range, this.#length), this.#bits);
    let at = 0;
    const ranges = inOrder(this.#lane, upload.readChunks(size, lender(this.#lane, size)), (packed) => {
      const [start, end] = [at, Math.min(at + range, this.#length)];
      at = end;
      const into = { low: this.#sums.low.subarray(start, end), high: this.#sums.high.subarray(start, end) };
      return this.#lane.run('add', { packed, bits: this.#bits, into });
    });
    await allOf(ranges);
    invariant(at === this.#length, 'a complete upload has the length of the vector');
    this.#added.add(index);
  }

  /** Adds the sums that another coordinator has made of inputs that are not in this one: pieces as `packed` gives them. */
  include(indices: readonly number[], pieces: AsyncIterable<Uint8Array>): void {
    this.#last = this.#last.then(() => this.#includeNow(indices, pieces));
    this.#last.catch(() => undefined);
  }

  async #includeNow(indices: readonly number[], pieces: AsyncIterable<Uint8Array>): Promise<void> {
    // An input that both of us took is counted once: all of theirs are read from the uploads then.
    if (indices.some((index) => this.#added.has(index))) return;
    let at = 0;
    for await (const bytes of pieces) {
      const values = new Float64Array(Math.min(PIECE_COORDINATES, this.#length - at));
      unpackInto(values, bytes, sumWidth(this.#bits));
      addSums(this.#sums, at, values);
      at += values.length;
      await nextTurn();
    }
    invariant(at === this.#length, 'sums have the length of the vector');
    for (const index of indices) this.#added.add(index);
  }

  /** What has been added, once everything that was asked for is. */
  async added(): Promise<readonly number[]> {
    await this.#last;
    return [...this.#added].sort((a, b) => a - b);
  }

  /** Adds what is missing of `indices`; throws when something else has been added. Then Y in packed pieces, the same each time. */
  async *packed(indices: Iterable<number>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const wanted = new Set(indices);
    for (const index of wanted) this.add(index);
    await this.#last;
    invariant(
      [...this.#added].every((index) => wanted.has(index)),
      'nothing but U3 is in the sum',
    );
    for (let at = 0; at < this.#length; at += PIECE_COORDINATES) {
      yield packSums(this.#sums, at, Math.min(PIECE_COORDINATES, this.#length - at), sumWidth(this.#bits));
      await nextTurn();
    }
  }

  /** True when everything added so far is in `indices`, so that the sum can still become theirs. */
  fits(indices: ReadonlySet<number>): boolean {
    return [...this.#added].every((index) => indices.has(index));
  }
}

/** Lets other work of the process have a turn between pieces. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
