// P6 (1), (3), (4): the vectors of a result. Reads them in ranges, whoever fetches them; needs memory for one range whatever d and n are.
// The opened vector need not be fetched: its hash stands in the result, and is compared with that of what the openings give.

import { equalBytes } from '../../base/index.js';
import { addFingerprints, centreInto, lowWords, packedBytes, sumWidth, unpackWords } from '../../vector/index.js';
import { layoutOfRound } from '../manifest.js';
import { applyMasks, remainingMasks, type MaskKeys } from '../masking.js';
import { demand } from '../rejection.js';
import { InputRoot, sumHasher } from '../vector-hash.js';
import { examineRange, fingerprintRange, type RangeFacts, type SumRange } from './ranges.js';
import type { CheckedResult } from './result.js';

/**
 * Checks the vectors of a result range by range: first every y_i of missing[], then the sum. Ranges come in order, have a multiple of 8
 * coordinates but for the last, and what takes long of each (`examineRange`) may be done elsewhere meanwhile.
 */
export class VectorCheck {
  readonly #result: CheckedResult;
  readonly #bits: number;
  readonly #length: number;
  readonly #claimed: bigint[];
  readonly #sumHash = sumHasher('sum');
  readonly #openedHash = sumHasher('opened');
  #prints: readonly [bigint, bigint] = [0n, 0n];
  #received = 0;
  #at = 0;
  /** The remaining masks: for `examineRange`. */
  readonly keys: MaskKeys;

  constructor(result: CheckedResult) {
    const { context, keys, dealers, survivors } = result;
    this.#result = result;
    this.#bits = context.manifest.modulusBits;
    this.#length = layoutOfRound(context.manifest, context.plan.round).length;
    const maskKeys = new Map<number, Uint8Array>();
    for (const index of survivors.members.keys())
      maskKeys.set(index, keys.members.get(index)?.maskKey ?? new Uint8Array());
    this.keys = remainingMasks(result.secrets.self, result.secrets.key, maskKeys, dealers.t2, keys.graph);
    this.#claimed = [0, 1].map((s) => addFingerprints([...result.fingerprints.values()].map((f) => f.taus[s] ?? 0n)));
  }

  /** d, in coordinates. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of a whole masked input, of the packed sum and of the opened vector. */
  get sizes(): { readonly input: number; readonly sum: number; readonly opened: number } {
    return {
      input: packedBytes(this.#length, this.#bits),
      sum: packedBytes(this.#length, sumWidth(this.#bits)),
      opened: 4 * this.#length,
    };
  }

  /**
   * Takes the input of one missing member in ranges, as whole bytes of a multiple of 8 coordinates but for the last. `prints` gives the
   * fingerprints of a range where they are computed elsewhere.
   */
  missingInput(index: number): MissingInput {
    const { survivors } = this.#result;
    const root = new InputRoot();
    let prints: readonly [bigint, bigint] = [0n, 0n];
    let at = 0;
    const coordinatesIn = (bytes: Uint8Array): number => {
      const count = Math.min(Math.floor((8 * bytes.length) / this.#bits), this.#length - at);
      demand(
        count > 0 && bytes.length === packedBytes(count, this.#bits),
        'result/missing-input',
        `the input of member ${String(index)} that was served has another length than its coordinates need.`,
      );
      return count;
    };
    return {
      next: (bytes) => {
        root.update(bytes);
        const count = coordinatesIn(bytes);
        const start = at;
        at += count;
        return { start, words: unpackWords(bytes, count, this.#bits) };
      },
      add: (range) => {
        prints = added(prints, range);
      },
      update(bytes) {
        const { start, words } = this.next(bytes);
        this.add(fingerprintRange(words, start, survivors.t3));
      },
      finish: () => {
        const expected = survivors.members.get(index)?.root;
        demand(
          at === this.#length && expected !== undefined && equalBytes(root.digest(), expected),
          'result/missing-input',
          `the input of member ${String(index)} that was served does not match its signed root.`,
        );
        prints.forEach((print, s) => {
          this.#claimed[s] = addFingerprints([this.#claimed[s] ?? 0n, print]);
        });
      },
    };
  }

  /** The next range of the packed sum, for `examineRange`. */
  next(sums: Uint8Array): SumRange {
    const start = this.#received;
    const count = Math.min(Math.floor((8 * sums.length) / sumWidth(this.#bits)), this.#length - start);
    demand(
      count > 0 && sums.length === packedBytes(count, sumWidth(this.#bits)),
      'result/sum',
      'the sum that was served has another length than its coordinates need.',
    );
    this.#sumHash.update(sums);
    this.#received += count;
    return { sums, start, count, bits: this.#bits };
  }

  /** What came of the range that `next` gave, in the same order, with the opened coordinates computed from it. */
  take({ largest, prints }: RangeFacts, opened: Int32Array): void {
    demand(
      largest <= this.#result.survivors.members.size * (2 ** this.#bits - 1),
      'result/sum',
      'a coordinate of the sum is larger than the survivors could have made it.',
    );
    this.#prints = added(this.#prints, prints);
    this.#openedHash.update(new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength));
    this.#at += opened.length;
  }

  /**
   * The next range from beginning to end: checks it, removes the remaining masks and, where the opened vector was published beside it,
   * compares; returns the opened range it computed itself.
   */
  update(sumBytes: Uint8Array, openedBytes?: Uint8Array): Int32Array {
    const range = this.next(sumBytes);
    const opened = new Int32Array(range.count);
    const facts = examineRange(range, this.keys, this.#result.survivors.t3, opened);
    this.take(facts, opened);
    demand(
      openedBytes === undefined || equalBytes(new Uint8Array(opened.buffer), openedBytes),
      'result/opened',
      'the opened sum that was published is not what the openings give.',
    );
    return opened;
  }

  /**
   * After the last piece: hashes and fingerprints. Throws Refusal `result/…`. `fingerprints`: false where an input that was missing has
   * been erased since, so that nobody can compare them any more.
   */
  finish({ fingerprints = true }: { readonly fingerprints?: boolean } = {}): void {
    const { survivors, openedHash } = this.#result;
    demand(this.#at === this.#length, 'result/sum', 'the sum is shorter than the layout.');
    demand(
      equalBytes(this.#sumHash.digest(), survivors.sumHash),
      'result/sum',
      'the sum that was served does not match its hash.',
    );
    demand(
      equalBytes(this.#openedHash.digest(), openedHash),
      'result/opened',
      'the opened sum does not match its hash.',
    );
    demand(
      !fingerprints || this.#prints.every((print, s) => print === this.#claimed[s]),
      'result/fingerprint',
      "the fingerprint of the sum is not the sum of the survivors' fingerprints.",
    );
  }
}

/** Removes the remaining masks from a piece of the sum, whose first coordinate is `start`: signed integers. */
export function openPiece(sums: Float64Array, start: number, keys: MaskKeys, modulusBits: number): Int32Array {
  // The sum of at most 200 words of 32 bits is below 2^40; what counts is its residue.
  const words = lowWords(sums);
  applyMasks(words, start, keys, modulusBits);
  centreInto(words, modulusBits);
  return words;
}

export interface MissingInput {
  /** The words of the next range, to be fingerprinted. Throws Refusal `result/missing-input`. */
  next(bytes: Uint8Array): { readonly start: number; readonly words: Uint32Array };
  /** The fingerprints of a range. */
  add(prints: readonly [bigint, bigint]): void;
  /** Both. */
  update(bytes: Uint8Array): void;
  /** After the last. Throws Refusal `result/missing-input`. */
  finish(): void;
}

function added(a: readonly [bigint, bigint], b: readonly [bigint, bigint]): [bigint, bigint] {
  return [addFingerprints([a[0], b[0]]), addFingerprints([a[1], b[1]])];
}
