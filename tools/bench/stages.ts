// What a round costs each side, for a cohort, a length and a share of silos that drop out after dealing their shares: the programs' own
// functions on one thread, without network and disk. Where a stage would take too long it is done on the first coordinates, which cost what
// all others cost, and scaled; `measured` says on how many.

import {
  applyMasks,
  InputRoot,
  openPiece,
  PIECE_COORDINATES,
  sumHasher,
  weightStreams,
  type MaskKeys,
} from '../../src/protocol/index.js';
import {
  addWords,
  Fingerprint,
  packedBytes,
  packSums,
  packWords,
  sumWidth,
  unpackInto,
  unpackWords,
  wideSums,
} from '../../src/vector/index.js';
import { someKeys, zeroHash } from './kernels.js';
import { fastest } from './measure.js';

export interface Stage {
  readonly n: number;
  readonly d: number;
  /** Share of the cohort that is not in the sum. */
  readonly dropout: number;
  /** Coordinates that were measured; times are scaled to d. */
  readonly measured: number;
  /** Milliseconds of one silo: masks, packing and root; two fingerprints; the whole check of the result. */
  readonly siloMaskMs: number;
  readonly siloFingerprintMs: number;
  readonly siloVerifyMs: number;
  /** Milliseconds of the coordinator: root and sum of all inputs; packing and hashing the sum; removing the masks. */
  readonly coordinatorAddMs: number;
  readonly coordinatorUnmaskMs: number;
  readonly bytes: { readonly upload: number; readonly sum: number; readonly opened: number; readonly float32: number };
  /** Keystream masks that one silo makes, and that are left in the sum. */
  readonly masks: { readonly silo: number; readonly left: number };
}

const BITS = 32;

export function measureStage(n: number, d: number, dropout: number, budget: number): Stage {
  const dropped = Math.min(Math.floor(n * dropout), n - (Math.floor((2 * n) / 3) + 1));
  const survivors = n - dropped;
  const left = survivors + dropped * survivors;
  const most = Math.max(PIECE_COORDINATES, Math.floor(budget / Math.max(left, n)));
  const measured = Math.min(d, most - (most % PIECE_COORDINATES));
  const input: MaskKeys = { add: someKeys(Math.ceil(n / 2), 1), subtract: someKeys(Math.floor(n / 2), 2) };
  const rest: MaskKeys = { add: someKeys(Math.floor((left - survivors) / 2), 3), subtract: someKeys(left, 4) };
  const leftKeys: MaskKeys = { add: rest.add, subtract: rest.subtract.slice(0, left - rest.add.length) };
  const wire = packWords(new Int32Array(measured), BITS);
  const sums = wideSums(measured);
  const packed = packSums(sums, 0, measured, sumWidth(BITS));
  const pieces = (work: (at: number, count: number) => void): void => {
    for (let at = 0; at < measured; at += PIECE_COORDINATES) work(at, Math.min(PIECE_COORDINATES, measured - at));
  };
  const width = sumWidth(BITS);
  const sumPiece = (at: number, count: number): Float64Array => {
    const values = new Float64Array(count);
    unpackInto(values, packed.subarray((at * width) / 8), width);
    return values;
  };
  const times = fastest(
    {
      mask: () => {
        const root = new InputRoot();
        pieces((at, count) => {
          const words = new Int32Array(count);
          applyMasks(words, at, input, BITS);
          root.update(packWords(words, BITS));
        });
        root.digest();
      },
      fingerprint: () => {
        const prints = printers();
        pieces((at, count) => {
          const values = new Uint32Array(count);
          for (const print of prints) print(values);
        });
      },
      verify: () => {
        const prints = printers();
        const [sum, opened] = [sumHasher('sum'), sumHasher('opened')];
        pieces((at, count) => {
          const values = sumPiece(at, count);
          sum.update(packed.subarray((at * width) / 8, ((at + count) * width) / 8));
          for (const print of prints) print(values);
          const own = openPiece(values, at, leftKeys, BITS);
          opened.update(new Uint8Array(own.buffer));
        });
      },
      add: () => {
        const root = new InputRoot().update(wire);
        root.digest();
        pieces((at, count) => {
          addWords(sums, at, unpackWords(wire.subarray(4 * at), count, BITS));
        });
      },
      pack: () => {
        const hasher = sumHasher('sum');
        pieces((at, count) => hasher.update(packSums(sums, at, count, width)));
      },
      unmask: () => {
        pieces((at, count) => {
          openPiece(sumPiece(at, count), at, leftKeys, BITS);
        });
      },
    },
    2,
  );
  const ms = (ns: number): number => (ns / 1e6) * (d / measured);
  return {
    n,
    d,
    dropout,
    measured,
    siloMaskMs: ms(times.mask),
    siloFingerprintMs: ms(times.fingerprint),
    siloVerifyMs: ms(times.verify),
    coordinatorAddMs: ms(times.add * survivors + times.pack),
    coordinatorUnmaskMs: ms(times.unmask),
    bytes: { upload: packedBytes(d, BITS), sum: packedBytes(d, width), opened: 4 * d, float32: 4 * d },
    masks: { silo: n, left },
  };
}

function printers(): ((values: Uint32Array | Float64Array) => void)[] {
  return weightStreams(zeroHash()).map((weights) => {
    const print = new Fingerprint();
    return (values) => {
      print.update(values, weights.next(values.length));
    };
  });
}
