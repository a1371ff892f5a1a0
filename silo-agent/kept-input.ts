// A silo's masked vector between its upload and its fingerprints, so that it is masked once. One at a time: the next upload takes its
// place. What is kept is what the coordinator has: nothing of it is secret. After a restart, and where the vector is too large, it is
// masked again from the stored input, to the same words.

import { equalBytes } from '../src/base/index.js';

/** Bytes of masked words that an agent keeps: 32 million coordinates; a machine that trains larger models is spared a further copy. */
const KEPT_BYTES_MAX = 128 * 1024 * 1024;

export class KeptInput {
  readonly #rid: Uint8Array;
  readonly #attempt: number;
  readonly #length: number;
  #pieces: Int32Array[] = [];
  #filled = 0;

  /** For `length` coordinates; undefined when that is too many to keep. */
  static of(rid: Uint8Array, attempt: number, length: number): KeptInput | undefined {
    return 4 * length <= KEPT_BYTES_MAX ? new KeptInput(rid, attempt, length) : undefined;
  }

  private constructor(rid: Uint8Array, attempt: number, length: number) {
    this.#rid = rid;
    this.#attempt = attempt;
    this.#length = length;
  }

  /** Takes the piece that begins at coordinate `at`; one that is there already is left as it is. The words must not change any more. */
  take(at: number, piece: Int32Array): void {
    if (at !== this.#filled) return;
    this.#pieces.push(piece);
    this.#filled += piece.length;
  }

  /** The whole vector in pieces; undefined while some of it is missing. */
  get pieces(): readonly Int32Array[] | undefined {
    return this.#filled === this.#length ? this.#pieces : undefined;
  }

  isOf(rid: Uint8Array, attempt: number): boolean {
    return this.#attempt === attempt && equalBytes(this.#rid, rid);
  }
}
