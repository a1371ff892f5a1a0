// HKDF-SHA256 (RFC 5869) with a label in front of the info, so that no two derivations share a stream (docs/protocol.md §2.1).

import { hkdfSync } from 'node:crypto';
import { labelled } from '../base/index.js';
import type { Label } from './labels.js';
import { SecretBytes } from './secret.js';

/** `HKDF(ikm, salt, u16be(len label) || label || info, length)`; length in bytes, at most 8160. */
export function derive<Name extends string>(
  ikm: Uint8Array,
  salt: Uint8Array,
  label: Label,
  info: readonly Uint8Array[],
  length = 32,
): SecretBytes<Name> {
  const bytes = new Uint8Array(hkdfSync('sha256', ikm, salt, labelled(label, ...info), length));
  const secret = SecretBytes.of<Name>(bytes);
  bytes.fill(0);
  return secret;
}

/** The same for what is public, such as the weights' key that everybody derives from a transcript. */
export function derivePublic(
  ikm: Uint8Array,
  salt: Uint8Array,
  label: Label,
  info: readonly Uint8Array[],
  length = 32,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, labelled(label, ...info), length));
}
