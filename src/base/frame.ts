// Framing of what is hashed and signed: every variable part is preceded by its length, so no two inputs share one byte string.

import { concat, u16be, utf8 } from './bytes.js';

/** `u16be(len label) || label || x`, the common prefix of every hash and signature in Veilsum (docs/protocol.md §2.1). */
export function labelled(label: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const name = utf8(label);
  return concat(u16be(name.length), name, ...parts);
}
