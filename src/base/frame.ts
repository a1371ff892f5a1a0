// Framing of what is hashed and signed: the label is preceded by its length. The parts behind it are not: whoever hashes several makes all
// of them but one of a fixed length, and checks that where somebody else shows them (src/protocol/transcript.ts).

import { concat, u16be, utf8 } from './bytes.js';

// Labels are few, and every hash and signature begins with one.
const PREFIXES_MAX = 256;
const prefixes = new Map<string, Uint8Array>();

/** `u16be(len label) || label || x`, the common prefix of every hash and signature in Veilsum (docs/protocol.md §2.1). */
export function labelled(label: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(prefixes.get(label) ?? prefixOf(label), ...parts);
}

function prefixOf(label: string): Uint8Array {
  const name = utf8(label);
  const prefix = concat(u16be(name.length), name);
  if (prefixes.size < PREFIXES_MAX) prefixes.set(label, prefix);
  return prefix;
}
