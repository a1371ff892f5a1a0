// The hashes of RFC 6962 §2.1. Their prefixes keep a leaf from ever passing for an inner node.

import { concat, type Hash } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);

/** Root of the tree without entries: SHA-256 of nothing. A fresh array. */
export function emptyRoot(): Hash {
  return sha256(new Uint8Array(0));
}

/** SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Hash {
  return sha256(concat(LEAF, entry));
}

/** SHA-256(0x01 || left || right), of two hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  return sha256(concat(NODE, left, right));
}
