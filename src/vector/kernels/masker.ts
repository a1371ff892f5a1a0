// Adds and subtracts keystreams on one piece of the vector in WebAssembly SIMD, four streams in a pass (add.wat). Twice as fast as the
// loops of modular.ts, which remain its slow twin in the tests.

import { invariant } from '../../base/index.js';
import { MODULE } from './gen/add.js';
import { bytesOf, kernel, roundedUp } from './instance.js';

const adding = kernel<{
  readonly add1: (words: number, stream: number, bytes: number) => void;
  readonly sub1: (words: number, stream: number, bytes: number) => void;
  readonly add4: (words: number, streams: number, apart: number, bytes: number) => void;
  readonly sub4: (words: number, streams: number, apart: number, bytes: number) => void;
}>(MODULE);

/** Words in one piece: piece and four streams are 320 KiB, which stays in the second-level cache. */
export const PIECE_WORDS = 16 * 1024;
const PIECE_BYTES = 4 * PIECE_WORDS;
/** The kernels work in blocks of this many bytes; what lies behind a shorter piece is never read back. */
const BLOCK_BYTES = 64;
const AT_ONCE = 4;

/** Fills a place in the kernel's memory with the next bytes of one keystream. */
export type FillBytes = (into: Uint8Array) => void;

/** piece += Σ add − Σ subtract, word by word, mod 2^32, in place. At most PIECE_WORDS words. */
export function maskPiece(piece: Int32Array, add: readonly FillBytes[], subtract: readonly FillBytes[]): void {
  const { run, bytes } = adding();
  const length = piece.byteLength;
  invariant(length <= PIECE_BYTES, 'a piece fits the memory of the kernel');
  const rounded = roundedUp(length, BLOCK_BYTES);
  const view = bytesOf(piece);
  bytes.set(view);
  for (const [streams, one, four] of [
    [add, run.add1, run.add4],
    [subtract, run.sub1, run.sub4],
  ] as const)
    for (let at = 0; at < streams.length; ) {
      const group = streams.length - at >= AT_ONCE ? AT_ONCE : 1;
      for (let k = 0; k < group; k++) {
        const into = PIECE_BYTES * (k + 1);
        streams[at + k]?.(bytes.subarray(into, into + length));
      }
      if (group === AT_ONCE) four(0, PIECE_BYTES, PIECE_BYTES, rounded);
      else one(0, PIECE_BYTES, rounded);
      at += group;
    }
  view.set(bytes.subarray(0, length));
}

/** Overwrites what the last pieces left in the kernel's memory: words and keystreams. */
export function wipeKernel(): void {
  adding().bytes.fill(0);
}
