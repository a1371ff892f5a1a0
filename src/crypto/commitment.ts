// Commitments to 32-byte secrets of full entropy: a hash under a label binds, and hides what cannot be guessed.

import { u16be, type Hash } from '../base/index.js';
import { hash } from './hash.js';
import { LABELS } from './labels.js';

/** What a share commits to: whose secret, for whom, in which transcript, and the share itself. */
export function commitShare(
  kind: 'self' | 'key',
  t1: Uint8Array,
  dealer: number,
  recipient: number,
  share: Uint8Array,
): Hash {
  const label = kind === 'self' ? LABELS.commitSelfShare : LABELS.commitKeyShare;
  return hash(label, t1, u16be(dealer), u16be(recipient), share);
}

/** Cb: commits dealer i to its self-mask secret in this transcript. */
export function commitSelfSecret(t1: Uint8Array, dealer: number, secret: Uint8Array): Hash {
  return hash(LABELS.commitSelfSecret, t1, u16be(dealer), secret);
}
