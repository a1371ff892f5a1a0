// Signatures that were found valid before. The same message comes several times in a round, by itself and in what rests on it: each
// signature is verified once. What did not verify is not remembered, so that nothing a peer invents takes a place.

import { concat, hex } from '../base/index.js';
import { sha256 } from '../crypto/index.js';

export class ValidBefore {
  readonly #most: number;
  readonly #known = new Set<string>();

  /** Remembers at most `most`, some 100 bytes each; then the oldest goes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Answers as `verify` does, and calls it only for what it has not found valid before. Parts but the last have fixed lengths. */
  check(parts: readonly Uint8Array[], verify: () => boolean): boolean {
    const name = hex(sha256(concat(...parts)));
    if (this.#known.has(name)) return true;
    if (!verify()) return false;
    this.#known.add(name);
    if (this.#known.size > this.#most) this.#forgetOldest();
    return true;
  }

  /** A set keeps the order in which its members came. */
  #forgetOldest(): void {
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }
}
