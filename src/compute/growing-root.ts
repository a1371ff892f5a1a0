// h_i of a masked input while its bytes come or go (protocol's InputRoot): each block of 1 MiB is hashed on a thread of the lane while the
// next one fills. Memory: one block.

import type { Hash } from '../base/index.js';
import { INPUT_BLOCK_BYTES, rootOfLeaves } from '../protocol/index.js';
import type { Lane } from './computer.js';

export class GrowingRoot {
  readonly #lane: Lane;
  readonly #leaves: Promise<Uint8Array>[] = [];
  #block: Uint8Array | undefined;
  #filled = 0;
  #total = 0;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** Bytes taken so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes the next bytes, which are free again when it resolves. */
  async update(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      // Its last block has been hashed: then its memory is free.
      if (this.#filled === 0) await this.#leaves.at(-1);
      const block = (this.#block ??= this.#lane.room(INPUT_BLOCK_BYTES));
      const taken = Math.min(INPUT_BLOCK_BYTES - this.#filled, bytes.length - at);
      block.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      this.#total += taken;
      at += taken;
      if (this.#filled === INPUT_BLOCK_BYTES) this.#close(block);
    }
  }

  /** After the last byte. */
  async digest(): Promise<Hash> {
    if (this.#block !== undefined && this.#filled > 0) this.#close(this.#block.subarray(0, this.#filled));
    return rootOfLeaves(this.#total, await Promise.all(this.#leaves));
  }

  #close(block: Uint8Array): void {
    const leaf = this.#lane.run('leaf', { block, index: this.#leaves.length });
    // Heard by whoever waits for it.
    leaf.catch(() => undefined);
    this.#leaves.push(leaf);
    this.#filled = 0;
  }
}
