// SHA-256 under a label (docs/protocol.md §2.1).

import { createHash, hash as hashAtOnce } from 'node:crypto';
import { labelled, type Hash } from '../base/index.js';
import type { Label } from './labels.js';

/** Above this, copying costs more than it saves. */
const JOINED_BYTES = 4096;

/** `H(label, x) = SHA-256(u16be(len label) || label || x)`; x is the concatenation of `parts`. */
export function hash(label: Label, ...parts: readonly Uint8Array[]): Hash {
  // Small inputs, which nearly all are, cost less joined than in pieces.
  if (sizeOf(parts) <= JOINED_BYTES) return sha256(labelled(label, ...parts));
  const hasher = new Hasher(label);
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

/** The same for input that arrives in pieces. One digest per hasher. */
export class Hasher {
  readonly #hash;

  constructor(label: Label) {
    this.#hash = createHash('sha256').update(labelled(label));
  }

  update(part: Uint8Array): this {
    this.#hash.update(part);
    return this;
  }

  digest(): Hash {
    return digested(this.#hash.digest());
  }
}

/** Plain SHA-256, without a label: content addresses of blobs, and what the formats of the log prescribe (docs/protocol.md §4). */
export function sha256(bytes: Uint8Array): Hash {
  return digested(hashAtOnce('sha256', bytes, 'buffer'));
}

/** The same for bytes that arrive in pieces. */
export function sha256Hasher(): { update(part: Uint8Array): unknown; digest(): Hash } {
  const hasher = createHash('sha256');
  return { update: (part) => hasher.update(part), digest: () => digested(hasher.digest()) };
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}

function digested(bytes: Uint8Array): Hash {
  // SHA-256 gives 32 bytes, which is what the brand stands for. A plain Uint8Array, not Node's Buffer subclass, leaves this room.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) as Hash;
}
