// The public weights of the fingerprint, fixed by T3 and so by every byte of every input and of the sum (docs/protocol.md §2.3 P4).

import type { Hash } from '../base/index.js';
import { derivePublic, hash, Keystream, LABELS } from '../crypto/index.js';

/** Two independent fingerprints: a wrong sum passes both with probability 2^-122. */
export const FINGERPRINTS = 2;
const WEIGHT_BYTES = 8;

/**
 * Streams of 8-byte weights, one for each fingerprint, from coordinate `start` (even) on. What `next` gives is overwritten by the next
 * call.
 */
export function weightStreams(t3: Hash, start = 0): { next(count: number): Uint8Array }[] {
  const challenge = hash(LABELS.fingerprintChallenge, t3);
  return Array.from({ length: FINGERPRINTS }, (_, s) => {
    const key = derivePublic(challenge, t3, LABELS.fingerprintWeights, [Uint8Array.of(s)]);
    const stream = new Keystream(key, start / 2);
    let room = new Uint8Array();
    const next = (count: number): Uint8Array => {
      if (room.length < count * WEIGHT_BYTES) room = new Uint8Array(count * WEIGHT_BYTES);
      const weights = room.subarray(0, count * WEIGHT_BYTES);
      stream.fill(weights);
      return weights;
    };
    return { next };
  });
}
