// A silo's masked vector between its upload and its fingerprints, so that it is masked once. One at a time: the next upload takes its
// place. What is kept is what the coordinator has: nothing of it is secret. After a restart, and where the vector is too large, it is
// masked again from the stored input, to the same words.

import { equalBytes } from '../src/base/index.js';
import type { Lane } from '../src/compute/index.js';

/** Bytes of masked words that an agent keeps: 32 million coordinates; a machine that trains larger models is spared a further copy. */
const KEPT_BYTES_MAX = 128 * 1024 * 1024;

export class KeptInput {
  readonly #rid: Uint8Array;
  readonly #attempt: number;
  readonly #words: Uint8Array;
  #lent = 0;
  #whole = false;

  /** For `length` coordinates; undefined when that is too many to keep. */
  static of(rid: Uint8Array, attempt: number, length: number, lane: Pick<Lane, 'room'>): KeptInput | undefined {
    return 4 * length <= KEPT_BYTES_MAX ? new KeptInput(rid, attempt, lane.room(4 * length)) : undefined;
  }

  private constructor(rid: Uint8Array, attempt: number, words: Uint8Array) {
    this.#rid = rid;
    this.#attempt = attempt;
    this.#words = words;
  }

  /** A pass over the vector begins: what one that broke off has left is written over. */
  begin(): void {
    this.#lent = 0;
  }

  /** Room for the next `bytes` of the pass, or as many as there are. */
  lend(bytes: number): Uint8Array {
    const room = this.#words.subarray(this.#lent, this.#lent + bytes);
    this.#lent += room.length;
    return room;
  }

  /** The pass has come to its end, and every word is masked. */
  finish(): void {
    this.#whole = true;
  }

  /** The whole vector; undefined while some of it is missing. */
  get words(): Int32Array | undefined {
    const { buffer, byteOffset, length } = this.#words;
    return this.#whole ? new Int32Array(buffer, byteOffset, length / 4) : undefined;
  }

  isOf(rid: Uint8Array, attempt: number): boolean {
    return this.#attempt === attempt && equalBytes(this.#rid, rid);
  }
}
