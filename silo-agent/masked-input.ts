// The masked input as bytes on the wire, made in pieces from the stored input and the masks: the same bytes every time it is asked for.

import {
  applyMasks,
  InputRoot,
  PIECE_COORDINATES,
  weightStreams,
  type MaskKeys,
  type SurvivorSet,
} from '../src/protocol/index.js';
import type { SealedStore } from '../src/storage/index.js';
import { Fingerprint, packedBytes, packWords } from '../src/vector/index.js';
import { AgentError } from './errors.js';
import { inputName } from './input-store.js';
import type { KeptInput } from './kept-input.js';

export interface MaskedInputOptions {
  readonly inputs: SealedStore;
  readonly inputHash: Uint8Array;
  /** d, in coordinates. */
  readonly length: number;
  readonly masks: MaskKeys;
  readonly modulusBits: number;
  /** Where the masked words stay until they are asked for again; undefined where they are to be masked anew. */
  readonly kept?: KeptInput | undefined;
}

export class MaskedInput {
  readonly #options: MaskedInputOptions;
  #root: Uint8Array | undefined;

  constructor(options: MaskedInputOptions) {
    this.#options = options;
  }

  get totalBytes(): number {
    return packedBytes(this.#options.length, this.#options.modulusBits);
  }

  /** Masked words in pieces of PIECE_COORDINATES but for the last. */
  async *#pieces(): AsyncGenerator<Int32Array> {
    const { inputs, inputHash, length, masks, modulusBits, kept } = this.#options;
    if (kept?.pieces !== undefined) {
      yield* kept.pieces;
      return;
    }
    let at = 0;
    let piece = new Int32Array(Math.min(PIECE_COORDINATES, length));
    let filled = 0;
    for await (const block of inputs.read(inputName(inputHash))) {
      const bytes = block.byteOffset % 4 === 0 ? block : block.slice();
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      for (let taken = 0; taken < words.length; ) {
        const count = Math.min(words.length - taken, piece.length - filled);
        piece.set(words.subarray(taken, taken + count), filled);
        taken += count;
        filled += count;
        if (filled < piece.length) continue;
        applyMasks(piece, at, masks, modulusBits);
        kept?.take(at, piece);
        yield piece;
        at += piece.length;
        piece = new Int32Array(Math.min(PIECE_COORDINATES, length - at));
        filled = 0;
      }
    }
    if (at !== length)
      throw new AgentError('agent/no-model-state', 'the stored input is shorter than the vector of its round.');
  }

  /** Wire bytes from `offset` to the end. A pass from 0 to the end also gives the root. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    const root = new InputRoot();
    let at = 0;
    for await (const words of this.#pieces()) {
      const bytes = packWords(words, this.#options.modulusBits);
      root.update(bytes);
      const end = at + bytes.length;
      if (end > offset) yield at >= offset ? bytes : bytes.subarray(offset - at);
      at = end;
    }
    this.#root = root.digest();
  }

  /** h_i. */
  async root(): Promise<Uint8Array> {
    // Reading past the end yields nothing and still hashes everything.
    if (this.#root === undefined) await this.read(this.totalBytes).next();
    // A full pass has just set it.
    return this.#root ?? new Uint8Array();
  }

  /** tau0 and tau1 of this input under the weights of `survivors`' T3. */
  async fingerprints(survivors: SurvivorSet): Promise<[bigint, bigint]> {
    const weights = weightStreams(survivors.t3);
    const prints: [Fingerprint, Fingerprint] = [new Fingerprint(), new Fingerprint()];
    for await (const words of this.#pieces()) {
      const unsigned = new Uint32Array(words.buffer, words.byteOffset, words.length);
      prints.forEach((print, s) => {
        print.update(unsigned, weights[s]?.next(unsigned.length) ?? new Uint8Array());
      });
    }
    return [prints[0].digest(), prints[1].digest()];
  }

  /** Overwrites the mask keys; the input cannot be masked through this object any more. */
  wipe(): void {
    for (const key of [...this.#options.masks.add, ...this.#options.masks.subtract]) key.fill(0);
  }
}
