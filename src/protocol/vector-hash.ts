// Hashes of the vectors: h_i of a masked input over blocks, so that a reader can check a part, and hY and hX of the two sums.

import { LIMITS, u32be, u64be, type Hash } from '../base/index.js';
import { hash, Hasher, LABELS } from '../crypto/index.js';

/** Bytes of one leaf of h_i. */
export const INPUT_BLOCK_BYTES = LIMITS.chunkBytes;

/**
 * h_i = H("y/root", u64be(bytes) || H("y/leaf", u32be(0) || block_0) || …) over 1 MiB blocks of the wire bytes. Bytes may arrive in
 * pieces of any size.
 */
export class InputRoot {
  readonly #leaves: Uint8Array[] = [];
  #leaf = startLeaf(0);
  #inLeaf = 0;
  #total = 0;

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; ) {
      const take = Math.min(INPUT_BLOCK_BYTES - this.#inLeaf, bytes.length - at);
      this.#leaf.update(bytes.subarray(at, at + take));
      this.#inLeaf += take;
      at += take;
      if (this.#inLeaf === INPUT_BLOCK_BYTES) this.#closeLeaf();
    }
    this.#total += bytes.length;
    return this;
  }

  digest(): Hash {
    if (this.#inLeaf > 0) this.#closeLeaf();
    return rootOfLeaves(this.#total, this.#leaves);
  }

  #closeLeaf(): void {
    this.#leaves.push(this.#leaf.digest());
    this.#leaf = startLeaf(this.#leaves.length);
    this.#inLeaf = 0;
  }
}

/** The leaf of one block, which has INPUT_BLOCK_BYTES but for the last: blocks may be hashed apart. */
export function leafOf(index: number, block: Uint8Array): Uint8Array {
  return startLeaf(index).update(block).digest();
}

/** h_i of `bytes` bytes from the leaves of all its blocks. */
export function rootOfLeaves(bytes: number, leaves: readonly Uint8Array[]): Hash {
  return hash(LABELS.inputRoot, u64be(bytes), ...leaves);
}

function startLeaf(index: number): Hasher {
  return new Hasher(LABELS.inputLeaf).update(u32be(index));
}

/** hY over the packed bytes of the integer sum; hX over the opened sum, d little-endian signed 32-bit words. One digest per hasher. */
export function sumHasher(of: 'sum' | 'opened'): Hasher {
  return new Hasher(of === 'sum' ? LABELS.sum : LABELS.opened);
}
