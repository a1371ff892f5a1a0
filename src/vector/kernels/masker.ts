// Adds and subtracts keystreams on one piece of the vector in WebAssembly SIMD, four streams in a pass (add.wat). Twice as fast as the
// loops of modular.ts, which remain its slow twin in the tests.

import { invariant } from '../../base/index.js';
import { MODULE } from './gen/add.js';

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly add1: (words: number, stream: number, bytes: number) => void;
  readonly sub1: (words: number, stream: number, bytes: number) => void;
  readonly add4: (words: number, streams: number, apart: number, bytes: number) => void;
  readonly sub4: (words: number, streams: number, apart: number, bytes: number) => void;
}

/** Words in one piece: piece and four streams are 320 KiB, which stays in the second-level cache. */
export const PIECE_WORDS = 16 * 1024;
const PIECE_BYTES = 4 * PIECE_WORDS;
/** The kernels work in blocks of this many bytes; what lies behind a shorter piece is never read back. */
const BLOCK_BYTES = 64;
const AT_ONCE = 4;

/** The next bytes of one keystream. */
export type NextBytes = (length: number) => Uint8Array;

// One instance per thread: a piece is loaded, worked on and stored within one call.
let instance: { readonly kernel: Kernel; readonly bytes: Uint8Array } | undefined;

function loaded(): { readonly kernel: Kernel; readonly bytes: Uint8Array } {
  if (instance === undefined) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
    // The exports are those of add.wat.
    const kernel = exports as unknown as Kernel;
    instance = { kernel, bytes: new Uint8Array(kernel.memory.buffer) };
  }
  return instance;
}

/** piece += Σ add − Σ subtract, word by word, mod 2^32, in place. At most PIECE_WORDS words. */
export function maskPiece(piece: Int32Array, add: readonly NextBytes[], subtract: readonly NextBytes[]): void {
  const { kernel, bytes } = loaded();
  const length = piece.byteLength;
  invariant(length <= PIECE_BYTES, 'a piece fits the memory of the kernel');
  const rounded = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
  const view = new Uint8Array(piece.buffer, piece.byteOffset, length);
  bytes.set(view);
  for (const [streams, one, four] of [
    [add, kernel.add1, kernel.add4],
    [subtract, kernel.sub1, kernel.sub4],
  ] as const)
    for (let at = 0; at < streams.length; ) {
      const group = streams.length - at >= AT_ONCE ? AT_ONCE : 1;
      for (let k = 0; k < group; k++) bytes.set(streams[at + k]?.(length) ?? EMPTY, PIECE_BYTES * (k + 1));
      if (group === AT_ONCE) four(0, PIECE_BYTES, PIECE_BYTES, rounded);
      else one(0, PIECE_BYTES, rounded);
      at += group;
    }
  view.set(bytes.subarray(0, length));
}

const EMPTY = new Uint8Array();

/** Overwrites what the last pieces left in the kernel's memory: words and keystreams. */
export function wipeKernel(): void {
  instance?.bytes.fill(0);
}
