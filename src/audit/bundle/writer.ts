// Writing a bundle piece by piece, whoever puts the pieces into a file. Sizes come first, so nothing is held in memory.

import { invariant } from '../../base/index.js';
import { sha256Hasher } from '../../crypto/index.js';
import { BUNDLE_MAGIC, bundleTail, partHead, type Part } from './contents.js';

export class BundleWriter {
  readonly #parts: Part[] = [];
  readonly #write: (bytes: Uint8Array) => void;
  #at = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
    this.#put(BUNDLE_MAGIC);
  }

  /** A whole part. */
  add(name: string, bytes: Uint8Array): void {
    const part = this.begin(name, bytes.length);
    part.update(bytes);
    part.end();
  }

  /** A part of exactly `size` bytes, in pieces. */
  begin(name: string, size: number): { update(bytes: Uint8Array): void; end(): void } {
    this.#put(partHead(name, size));
    const offset = this.#at;
    const digest = sha256Hasher();
    return {
      update: (bytes) => {
        digest.update(bytes);
        this.#put(bytes);
      },
      end: () => {
        invariant(this.#at - offset === size, 'a part has the size that stands before it');
        this.#parts.push({ name, offset, size, sha256: digest.digest() });
      },
    };
  }

  /** Contents and end. */
  finish(): readonly Part[] {
    this.#put(bundleTail(this.#parts, this.#at));
    return this.#parts;
  }

  #put(bytes: Uint8Array): void {
    this.#write(bytes);
    this.#at += bytes.length;
  }
}
