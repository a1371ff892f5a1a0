// P6 (1), (3), (4): the vectors of a result. Reads them in pieces, whoever fetches them; needs memory for one piece whatever d and n are.

import { equalBytes } from '../../base/index.js';
import {
  addFingerprints,
  centreInto,
  Fingerprint,
  lowWords,
  packedBytes,
  sumWidth,
  unpackInto,
  unpackWords,
} from '../../vector/index.js';
import { layoutOfRound } from '../manifest.js';
import { applyMasks, remainingMasks, type MaskKeys } from '../masking.js';
import { demand } from '../rejection.js';
import { InputRoot, sumHasher } from '../vector-hash.js';
import { weightStreams } from '../weights.js';
import type { CheckedResult } from './result.js';

/** Coordinates in one piece: a multiple of 8, so that pieces of packed values end at whole bytes. */
export const PIECE_COORDINATES = 1 << 16;

/** Checks the vectors of a result piece by piece: first every y_i of missing[], then the sum with the opened vector. */
export class VectorCheck {
  readonly #result: CheckedResult;
  readonly #bits: number;
  readonly #length: number;
  readonly #keys: MaskKeys;
  readonly #claimed: bigint[];
  readonly #sumPrints = [new Fingerprint(), new Fingerprint()];
  readonly #weights;
  readonly #sumHash = sumHasher('sum');
  readonly #openedHash = sumHasher('opened');
  #at = 0;

  constructor(result: CheckedResult) {
    const { context, keys, dealers, survivors } = result;
    this.#result = result;
    this.#bits = context.manifest.modulusBits;
    this.#length = layoutOfRound(context.manifest, context.plan.round).length;
    const maskKeys = new Map<number, Uint8Array>();
    for (const index of survivors.members.keys())
      maskKeys.set(index, keys.members.get(index)?.maskKey ?? new Uint8Array());
    this.#keys = remainingMasks(result.secrets.self, result.secrets.key, maskKeys, dealers.t2, keys.graph);
    this.#claimed = [0, 1].map((s) => addFingerprints([...result.fingerprints.values()].map((f) => f.taus[s] ?? 0n)));
    this.#weights = weightStreams(survivors.t3);
  }

  /** Bytes of a whole masked input, of the packed sum and of the opened vector. */
  get sizes(): { readonly input: number; readonly sum: number; readonly opened: number } {
    return {
      input: packedBytes(this.#length, this.#bits),
      sum: packedBytes(this.#length, sumWidth(this.#bits)),
      opened: 4 * this.#length,
    };
  }

  /** Takes the input of one missing member, in pieces of PIECE_COORDINATES but for the last. */
  missingInput(index: number): { update(bytes: Uint8Array): void; finish(): void } {
    const prints = [new Fingerprint(), new Fingerprint()];
    const weights = weightStreams(this.#result.survivors.t3);
    const root = new InputRoot();
    let at = 0;
    return {
      update: (bytes) => {
        root.update(bytes);
        const count = Math.min(PIECE_COORDINATES, this.#length - at);
        demand(
          bytes.length === packedBytes(count, this.#bits),
          'result/missing-input',
          `the input of member ${String(index)} that was served has another length than its coordinates need.`,
        );
        const words = unpackWords(bytes, count, this.#bits);
        prints.forEach((print, s) => {
          print.update(words, weights[s]?.next(count) ?? new Uint8Array());
        });
        at += count;
      },
      finish: () => {
        const expected = this.#result.survivors.members.get(index)?.root;
        demand(
          at === this.#length && expected !== undefined && equalBytes(root.digest(), expected),
          'result/missing-input',
          `the input of member ${String(index)} that was served does not match its signed root.`,
        );
        prints.forEach((print, s) => {
          this.#claimed[s] = addFingerprints([this.#claimed[s] ?? 0n, print.digest()]);
        });
      },
    };
  }

  /**
   * Takes the next piece of the packed sum and of the opened vector (PIECE_COORDINATES coordinates but for the last). Checks ranges,
   * removes the remaining masks and compares with what was published; returns the opened piece it computed itself.
   */
  update(sumBytes: Uint8Array, openedBytes: Uint8Array): Int32Array {
    const count = Math.min(PIECE_COORDINATES, this.#length - this.#at);
    demand(
      sumBytes.length === packedBytes(count, sumWidth(this.#bits)),
      'result/sum',
      'the sum that was served has another length than its coordinates need.',
    );
    this.#sumHash.update(sumBytes);
    const sums = new Float64Array(count);
    unpackInto(sums, sumBytes, sumWidth(this.#bits));
    const bound = this.#result.survivors.members.size * (2 ** this.#bits - 1);
    demand(
      noneAbove(sums, bound),
      'result/sum',
      'a coordinate of the sum is larger than the survivors could have made it.',
    );
    this.#sumPrints.forEach((print, s) => {
      print.update(sums, this.#weights[s]?.next(count) ?? new Uint8Array());
    });
    const opened = openPiece(sums, this.#at, this.#keys, this.#bits);
    const own = new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength);
    demand(
      equalBytes(own, openedBytes),
      'result/opened',
      'the opened sum that was published is not what the openings give.',
    );
    this.#openedHash.update(own);
    this.#at += count;
    return opened;
  }

  /** After the last piece: hashes and fingerprints. Throws Refusal `result/…`. */
  finish(): void {
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
      this.#sumPrints.every((print, s) => print.digest() === this.#claimed[s]),
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

function noneAbove(sums: Float64Array, bound: number): boolean {
  // i is below the length.
  for (let i = 0; i < sums.length; i++) if ((sums[i] as number) > bound) return false;
  return true;
}
