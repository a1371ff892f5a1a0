// A silo's masked vector between its upload and its fingerprints, so that it is masked once. One at a time: the next upload takes its
// place. What is kept is what the coordinator has: nothing of it is secret. After a restart, and where the vector is too large, it is
// masked again from the stored input, to the same words.

import { equalBytes } from '../src/base/index.js';
import type { Lane } from '../src/compute/index.js';

/** Bytes of masked words that an agent keeps: 32 million coordinates; a machine that trains larger models is spared a further copy. */
const KEPT_BYTES_MAX = 128 * 1024 * 1024;

/** One pass that fills the memory. */
export interface Filling {
  /** Room for the next `bytes` of the pass, or as many as there are. */
  readonly lend: (bytes: number) => Uint8Array;
  /** Nothing of the pass is under way any more. `isWhole`: it has come to its end, and every word is masked. */
  readonly end: (isWhole: boolean) => void;
}

export class KeptInput {
  readonly #rid: Uint8Array;
  readonly #attempt: number;
  readonly #words: Uint8Array;
  #state: 'empty' | 'filling' | 'whole' = 'empty';

  /** For `length` coordinates; undefined when that is too many to keep. */
  static of(rid: Uint8Array, attempt: number, length: number, lane: Pick<Lane, 'room'>): KeptInput | undefined {
    return 4 * length <= KEPT_BYTES_MAX ? new KeptInput(rid, attempt, lane.room(4 * length)) : undefined;
  }

  private constructor(rid: Uint8Array, attempt: number, words: Uint8Array) {
    this.#rid = rid;
    this.#attempt = attempt;
    this.#words = words;
  }

  /**
   * For a pass over the vector that leaves its masked words here. Undefined while another pass does: an upload that is sent anew may begin
   * before the one that broke off has ended, and two in one memory would spoil each other's words.
   */
  fill(): Filling | undefined {
    if (this.#state !== 'empty') return undefined;
    this.#state = 'filling';
    let lent = 0;
    return {
      lend: (bytes) => {
        const room = this.#words.subarray(lent, lent + bytes);
        lent += room.length;
        return room;
      },
      end: (isWhole) => {
        this.#state = isWhole ? 'whole' : 'empty';
      },
    };
  }

  /** The whole vector; undefined while some of it is missing. */
  get words(): Int32Array | undefined {
    const { buffer, byteOffset, length } = this.#words;
    return this.#state === 'whole' ? new Int32Array(buffer, byteOffset, length / 4) : undefined;
  }

  isOf(rid: Uint8Array, attempt: number): boolean {
    return this.#attempt === attempt && equalBytes(this.#rid, rid);
  }
}
