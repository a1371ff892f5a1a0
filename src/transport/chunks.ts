// Pieces of any size into pieces that fit one message.

import { LIMITS } from '../base/index.js';

/** Views of the pieces, each of 1 to LIMITS.chunkBytes bytes. Small pieces are not gathered: that would copy. */
export async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces)
    for (let at = 0; at < piece.length; at += LIMITS.chunkBytes) yield piece.subarray(at, at + LIMITS.chunkBytes);
}
