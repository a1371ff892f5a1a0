// The masked input as bytes on the wire, made in ranges from the stored input and the masks: the same bytes every time it is asked for.
// While one range is sent, the next are masked on the threads of the lane; memory is that of the ranges under way, and of the whole
// vector where it is kept.

import {
  GrowingRoot,
  HERE,
  inOrder,
  inPieces,
  lender,
  ringOf,
  wipeRing,
  type KeyRing,
  type Lane,
} from '../src/compute/index.js';
import type { MaskKeys, SurvivorSet } from '../src/protocol/index.js';
import type { SealedStore } from '../src/storage/index.js';
import { addFingerprints, packedBytes, packWords } from '../src/vector/index.js';
import { AgentError } from './errors.js';
import { inputName } from './input-store.js';
import type { Filling, KeptInput } from './kept-input.js';

export interface MaskedInputOptions {
  readonly inputs: SealedStore;
  readonly inputHash: Uint8Array;
  /** d, in coordinates. */
  readonly length: number;
  readonly masks: MaskKeys;
  readonly modulusBits: number;
  /** Where the masked words stay until they are asked for again; undefined where they are to be masked anew. */
  readonly kept?: KeptInput | undefined;
  /** Where they are masked; in the caller's thread unless given. */
  readonly lane?: Lane;
}

interface Range {
  readonly words: Int32Array;
  /** Coordinate of the first of them. */
  readonly start: number;
}

export class MaskedInput {
  readonly #options: MaskedInputOptions;
  readonly #lane: Lane;
  readonly #keys: KeyRing;
  #root: Uint8Array | undefined;

  /** Takes the mask keys over. */
  constructor(options: MaskedInputOptions) {
    this.#options = options;
    this.#lane = options.lane ?? HERE;
    this.#keys = ringOf(this.#lane, options.masks);
  }

  get totalBytes(): number {
    return packedBytes(this.#options.length, this.#options.modulusBits);
  }

  /** Stored words, not yet masked, in ranges of the lane but for the last. */
  async *#stored(filling?: Filling): AsyncGenerator<Range> {
    const { inputs, inputHash, length } = this.#options;
    const size = 4 * Math.min(this.#lane.range, length);
    const lend = filling === undefined ? lender(this.#lane, size) : () => filling.lend(size);
    let start = 0;
    for await (const bytes of inPieces(inputs.read(inputName(inputHash)), lend)) {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      yield { words, start };
      start += words.length;
    }
    if (start !== length)
      throw new AgentError('agent/no-model-state', 'the stored input has another length than the vector of its round.');
  }

  #ranges(words: Int32Array): Range[] {
    const ranges: Range[] = [];
    for (let start = 0; start < words.length; start += this.#lane.range)
      ranges.push({ words: words.subarray(start, start + this.#lane.range), start });
    return ranges;
  }

  /** Wire bytes in ranges, each good until the next is asked for. */
  async *#packed(): AsyncGenerator<Uint8Array> {
    const { kept, length, modulusBits: bits } = this.#options;
    if (kept?.words !== undefined) {
      for (const { words } of this.#ranges(kept.words)) yield packWords(words, bits);
      return;
    }
    const lend = lender(this.#lane, packedBytes(Math.min(this.#lane.range, length), bits));
    const filling = kept?.fill();
    let isWhole = false;
    try {
      yield* inOrder(this.#lane, this.#stored(filling), async ({ words, start }) => {
        const out = lend(packedBytes(words.length, bits));
        await this.#lane.run('mask', { words, start, keys: this.#keys, bits, out });
        return out;
      });
      isWhole = true;
    } finally {
      filling?.end(isWhole);
    }
  }

  /** Wire bytes from `offset` to the end, each piece good until the next is asked for. A pass from 0 to the end also gives the root. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    const root = new GrowingRoot(this.#lane);
    let at = 0;
    for await (const bytes of this.#packed()) {
      await root.update(bytes);
      const end = at + bytes.length;
      if (end > offset) yield at >= offset ? bytes : bytes.subarray(offset - at);
      at = end;
    }
    this.#root = await root.digest();
  }

  /** h_i. */
  async root(): Promise<Uint8Array> {
    // Reading past the end yields nothing and still hashes everything.
    if (this.#root === undefined) await this.read(this.totalBytes).next();
    // A full pass has just set it.
    return this.#root ?? new Uint8Array();
  }

  /** tau0 and tau1 of this input under the weights of `survivors`' T3. */
  async fingerprints({ t3 }: Pick<SurvivorSet, 't3'>): Promise<[bigint, bigint]> {
    const { kept, length, modulusBits: bits } = this.#options;
    const masked = kept?.words;
    const lend = lender(this.#lane, packedBytes(Math.min(this.#lane.range, length), bits));
    const prints = inOrder(
      this.#lane,
      masked === undefined ? this.#stored() : this.#ranges(masked),
      async ({ words, start }) => {
        if (masked === undefined) {
          const out = lend(packedBytes(words.length, bits));
          await this.#lane.run('mask', { words, start, keys: this.#keys, bits, out });
        }
        const unsigned = new Uint32Array(words.buffer, words.byteOffset, words.length);
        return this.#lane.run('fingerprint', { words: unsigned, start, t3 });
      },
    );
    let total: [bigint, bigint] = [0n, 0n];
    for await (const [first, second] of prints)
      total = [addFingerprints([total[0], first]), addFingerprints([total[1], second])];
    return total;
  }

  /** Overwrites the mask keys; the input cannot be masked through this object any more. */
  wipe(): void {
    wipeRing(this.#keys);
  }
}
