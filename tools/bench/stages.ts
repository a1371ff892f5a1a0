// What a round costs each side, for a cohort, a length and a share of silos that drop out after dealing their shares: the programs' own
// functions on one thread, without network and disk. Where a stage would take too long it is done on the first coordinates, which cost what
// all others cost, and scaled; `measured` says on how many.

import { smallestModulus } from '../../src/job/index.js';
import {
  applyMasks,
  examineRange,
  fingerprintRange,
  InputRoot,
  openRange,
  PIECE_COORDINATES,
  sumHasher,
  type MaskKeys,
  type SumRange,
} from '../../src/protocol/index.js';
import { addWords, packedBytes, packSums, packWords, sumWidth, unpackWords, wideSums } from '../../src/vector/index.js';
import { someKeys, zeroHash } from './kernels.js';
import { fastest } from './measure.js';

export interface Stage {
  readonly n: number;
  readonly d: number;
  /** Share of the cohort that is not in the sum. */
  readonly dropout: number;
  /** m, as a manifest chooses it. */
  readonly bits: number;
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

/** No bits but those of this cohort and length matter here. */
const nothingElse = (): void => undefined;

export function measureStage(n: number, d: number, dropout: number, budget: number): Stage {
  const dropped = Math.min(Math.floor(n * dropout), n - (Math.floor((2 * n) / 3) + 1));
  const survivors = n - dropped;
  const bits = smallestModulus(n, d, nothingElse);
  const left = survivors + dropped * survivors;
  const most = Math.max(PIECE_COORDINATES, Math.floor(budget / Math.max(left, n)));
  const measured = Math.min(d, most - (most % PIECE_COORDINATES));
  const input: MaskKeys = { add: someKeys(Math.ceil(n / 2), 1), subtract: someKeys(Math.floor(n / 2), 2) };
  const rest: MaskKeys = { add: someKeys(Math.floor((left - survivors) / 2), 3), subtract: someKeys(left, 4) };
  const leftKeys: MaskKeys = { add: rest.add, subtract: rest.subtract.slice(0, left - rest.add.length) };
  const wire = packWords(new Int32Array(measured), bits);
  const sums = wideSums(measured);
  const packed = packSums(sums, 0, measured, sumWidth(bits));
  const pieces = (work: (at: number, count: number) => void): void => {
    for (let at = 0; at < measured; at += PIECE_COORDINATES) work(at, Math.min(PIECE_COORDINATES, measured - at));
  };
  const width = sumWidth(bits);
  const range = (at: number, count: number): SumRange => ({
    sums: packed.subarray(packedBytes(at, width), packedBytes(at + count, width)),
    start: at,
    count,
    bits,
  });
  const times = fastest(
    {
      mask: () => {
        const root = new InputRoot();
        pieces((at, count) => {
          const words = new Int32Array(count);
          applyMasks(words, at, input, bits);
          root.update(packWords(words, bits));
        });
        root.digest();
      },
      fingerprint: () => {
        pieces((at, count) => {
          fingerprintRange(new Uint32Array(count), at, zeroHash());
        });
      },
      verify: () => {
        const [sum, opened] = [sumHasher('sum'), sumHasher('opened')];
        pieces((at, count) => {
          const own = new Int32Array(count);
          sum.update(range(at, count).sums);
          examineRange(range(at, count), leftKeys, zeroHash(), own);
          opened.update(new Uint8Array(own.buffer));
        });
      },
      add: () => {
        const root = new InputRoot().update(wire);
        root.digest();
        pieces((at, count) => {
          addWords(sums, at, unpackWords(wire.subarray(packedBytes(at, bits)), count, bits));
        });
      },
      pack: () => {
        const hasher = sumHasher('sum');
        pieces((at, count) => hasher.update(packSums(sums, at, count, width)));
      },
      unmask: () => {
        const opened = sumHasher('opened');
        pieces((at, count) => {
          const own = new Int32Array(count);
          openRange(range(at, count), leftKeys, own);
          opened.update(new Uint8Array(own.buffer));
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
    bits,
    measured,
    siloMaskMs: ms(times.mask),
    siloFingerprintMs: ms(times.fingerprint),
    siloVerifyMs: ms(times.verify),
    coordinatorAddMs: ms(times.add * survivors + times.pack),
    coordinatorUnmaskMs: ms(times.unmask),
    bytes: { upload: packedBytes(d, bits), sum: packedBytes(d, width), opened: 4 * d, float32: 4 * d },
    masks: { silo: n, left },
  };
}
