// Each kernel alone, in nanoseconds per element, beside the limits of the machine in the same turns: AES of the same bytes, copying,
// hashing.

import { createCipheriv, createHash } from 'node:crypto';
import { applyMasks, weightStreams, type MaskKeys } from '../../src/protocol/index.js';
import { allOf, Computer, inOrder, ringOf } from '../../src/compute/index.js';
import { asHash, defined, type Hash } from '../../src/base/index.js';
import { bufferFreeing } from '../../src/system/index.js';
import {
  addWords,
  Fingerprint,
  layoutOf,
  pack,
  packSums,
  packWords,
  quantise,
  unpackInto,
  unpackWords,
  wideSums,
} from '../../src/vector/index.js';
import { fastest } from './measure.js';

export interface KernelFigures {
  /** Nanoseconds per mask and element. */
  readonly mask: number;
  /** The same on as many threads as there are processors, the way between them included. */
  readonly maskThreads: number;
  /** Nanoseconds per 4 bytes of AES-256-CTR of this process, each result freed at once. */
  readonly aes: number;
  /** Nanoseconds per 4 bytes copied in memory, from a vector larger than any cache. */
  readonly copy: number;
  readonly sha256: number;
  readonly quantise: number;
  readonly addWithCarry: number;
  /** One of two, its weights included. */
  readonly fingerprintWords: number;
  readonly fingerprintSums: number;
  readonly pack24: number;
  readonly unpack24: number;
  readonly packSums40: number;
  readonly unpackSums40: number;
}

const MASKS = 8;

export function measureKernels(length: number, repeats: number): Omit<KernelFigures, 'maskThreads'> {
  const words = new Int32Array(length);
  const unsigned = new Uint32Array(length).map((_, i) => Math.imul(i, 2_654_435_761));
  const low = new Int32Array(unsigned.map((word) => word & 0xffffff));
  const keys: MaskKeys = { add: someKeys(MASKS / 2, 1), subtract: someKeys(MASKS / 2, 100) };
  const sums = wideSums(length);
  const doubles = Float64Array.from(unsigned, (word) => word * 200);
  const packed24 = packWords(low, 24);
  const packed40 = pack(doubles, 40);
  const unpacked = new Float64Array(length);
  const changes = new Float32Array(length).fill(1e-4);
  const layout = layoutOf([
    {
      name: 'delta',
      length,
      quantiser: { kind: 'real', clipKind: 'l2', clip: 1, scale: 2 ** 24, qMax: 2 ** 24 },
      visibility: 'public',
      coarseStep: 0,
    },
  ]);
  const [weights] = weightStreams(zeroHash());
  const print = (values: Uint32Array | Float64Array): void => {
    const one = new Fingerprint();
    for (let at = 0; at < length; at += PIECE) {
      const part = values.subarray(at, at + PIECE);
      one.update(part, weights?.next(part.length) ?? new Uint8Array());
    }
  };
  const from = new Uint8Array(64 * 1024 ** 2);
  const to = new Uint8Array(from.length);
  const times = fastest(
    {
      mask: () => {
        applyMasks(words, 0, keys, 32);
      },
      aes: () => {
        plainAes(4 * length * MASKS);
      },
      copy: () => {
        to.set(from);
      },
      sha256: () => {
        createHash('sha256').update(unsigned).digest();
      },
      quantise: () => {
        quantise(layout, [{ name: 'delta', values: changes }], (count) => unsigned.subarray(0, count));
      },
      addWithCarry: () => {
        addWords(sums, 0, unsigned);
      },
      fingerprintWords: () => {
        print(unsigned);
      },
      fingerprintSums: () => {
        print(doubles);
      },
      pack24: () => {
        packWords(low, 24);
      },
      unpack24: () => {
        unpackWords(packed24, length, 24);
      },
      packSums40: () => {
        packSums(sums, 0, length, 40);
      },
      unpackSums40: () => {
        unpackInto(unpacked, packed40, 40);
      },
    },
    repeats,
  );
  return {
    ...Object.fromEntries(Object.entries(times).map(([name, ns]) => [name, ns / length])),
    mask: times.mask / (MASKS * length),
    aes: times.aes / (MASKS * length),
    copy: times.copy / (from.length / 4),
  } as KernelFigures;
}

const PIECE = 1 << 16;

/** Any public string will do for weights. */
export function zeroHash(): Hash {
  return defined(asHash(new Uint8Array(32)), 'a hash of 32 bytes');
}

export function someKeys(count: number, first: number): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => {
    const key = new Uint8Array(32).fill(first & 255);
    new DataView(key.buffer).setUint32(0, k);
    return key;
  });
}

/** Nanoseconds per mask and element with `threads` threads that mask a vector in ranges of shared memory; least of several turns. */
export async function measureThreads(length: number, threads: number, repeats: number): Promise<number> {
  const computer = new Computer({ threads, pooledFrom: 0 });
  try {
    const lane = computer.laneFor(length);
    const keys = ringOf(lane, { add: someKeys(MASKS / 2, 1), subtract: someKeys(MASKS / 2, 100) });
    const room = lane.room(4 * length);
    const out = lane.room(4 * length);
    const starts = Array.from({ length: Math.ceil(length / lane.range) }, (_, k) => k * lane.range);
    let least = Infinity;
    for (let turn = 0; turn <= repeats; turn++) {
      const from = process.hrtime.bigint();
      await allOf(
        inOrder(lane, starts, (start) => {
          const count = Math.min(lane.range, length - start);
          const words = new Int32Array(room.buffer, 4 * start, count);
          return lane.run('mask', { words, start, keys, bits: 32, out: out.subarray(4 * start, 4 * (start + count)) });
        }),
      );
      // The first turn starts the threads.
      if (turn > 0) least = Math.min(least, Number(process.hrtime.bigint() - from));
    }
    return least / (MASKS * length);
  } finally {
    await computer.close();
  }
}

const free = bufferFreeing();

/** As fast as this process can encrypt: 64 KiB a call, each result freed. */
function plainAes(bytes: number): void {
  const piece = new Uint8Array(64 * 1024);
  const cipher = createCipheriv('aes-256-ctr', new Uint8Array(32).fill(9), new Uint8Array(16));
  for (let at = 0; at < bytes; at += piece.length) {
    const made = cipher.update(piece.subarray(0, Math.min(piece.length, bytes - at)));
    free?.(made.buffer);
  }
}
