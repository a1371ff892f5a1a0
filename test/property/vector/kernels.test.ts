// Each WebAssembly kernel against its slow twin: lengths that end within a vector or a block, largest words, views that start anywhere.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addWords,
  Fingerprint,
  layoutOf,
  lowWords,
  pack,
  packSums,
  packedBytes,
  packWords,
  quantise,
  sumWidth,
  unpackInto,
  unpackWords,
  wideSums,
} from '../../../src/vector/index.js';
import { roundInto, ROUNDED_AT_ONCE } from '../../../src/vector/kernels/rounder.js';
import { fingerprintTwin, packTwin, roundTwin, words } from '../../support/vector-twins.js';

const BLOCK = 16 * 1024;
/** Around every boundary of lanes and blocks. */
const LENGTHS = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5];
const ONES = 0xffffffff;

/** The same bytes at an address that is no multiple of the element's size is not possible for typed arrays; any other is. */
const within = (values: readonly number[], before: number): Uint32Array =>
  Uint32Array.from([...new Array<number>(before).fill(7), ...values, 9, 9, 9]).subarray(before, before + values.length);

describe('the sum with carry', () => {
  it('is the sum of the twin for every length, at the largest words, 200 times', () => {
    for (const length of LENGTHS.filter((one) => one < 100)) {
      const sums = wideSums(length);
      const expected = new Array<bigint>(length).fill(0n);
      for (let silo = 0; silo < 200; silo++) {
        const given = words(length, `silo ${silo}`).map((word, k) => (silo % 3 === 0 || k === 0 ? ONES : word));
        given.forEach((word, k) => (expected[k] = expected[k]! + BigInt(word)));
        addWords(sums, 0, within(given, silo % 5));
      }
      expect([...sums.low].map((low, k) => BigInt(low) + (BigInt(sums.high[k]!) << 32n))).toEqual(expected);
    }
  });

  it('adds a piece where it belongs and nowhere else, also over several blocks', () => {
    const length = 2 * BLOCK + 5;
    const given = words(length, 'piece');
    const sums = wideSums(length + 30);
    for (const start of [0, 13, 30]) addWords(sums, start, Uint32Array.from(given));
    const total = (k: number): number => sums.low[k]! + sums.high[k]! * 2 ** 32;
    const at = (k: number): number => given[k] ?? 0;
    for (let k = 0; k < length + 30; k++) expect(total(k)).toBe(at(k) + at(k - 13) + at(k - 30));
    expect(() => {
      addWords(sums, 31, Uint32Array.from(given));
    }).toThrow('within the sums');
  });

  it('packs as its doubles do, for every modulus', () => {
    for (let bits = 16; bits <= 32; bits++) {
      const length = 1003;
      const sums = wideSums(length + 8);
      for (let silo = 0; silo < 200; silo++)
        addWords(
          sums,
          8,
          Uint32Array.from(words(length, `${silo}`), (word) => (silo < 199 ? word % 2 ** bits : 2 ** bits - 1)),
        );
      const doubles = [...sums.low.subarray(8)].map((low, k) => low + sums.high[k + 8]! * 2 ** 32);
      const bytes = packSums(sums, 8, length, sumWidth(bits));
      expect(bytes).toEqual(packTwin(doubles, sumWidth(bits)));
      expect(bytes).toEqual(pack(doubles, sumWidth(bits)));
    }
  });
});

describe('packing of words', () => {
  it('is that of the twin at every length and width, of all ones and of any words, and comes back', () => {
    for (let bits = 16; bits <= 32; bits++)
      for (const length of LENGTHS.filter((one) => one < 100))
        for (const given of [
          new Array<number>(length).fill(2 ** bits - 1),
          words(length, 'w').map((w) => w % 2 ** bits),
        ]) {
          const view = within(given, length % 7);
          const bytes = packWords(new Int32Array(view.buffer, view.byteOffset, view.length), bits);
          expect(bytes).toEqual(packTwin(given, bits));
          expect([...unpackWords(bytes, length, bits)]).toEqual(given);
        }
  });

  it('goes on at a whole byte from block to block', () => {
    for (const [bits, length] of [
      [17, 2 * BLOCK + 5],
      [31, BLOCK + 1],
      [40, BLOCK + 8],
    ] as const) {
      const given = words(length, 'blocks').map((word, k) => (word + 2 ** 33 * k) % 2 ** bits);
      const bytes = pack(given, bits);
      expect(bytes).toHaveLength(packedBytes(length, bits));
      // A stretch of whole groups in the second block, by the twin.
      const from = BLOCK - 8;
      expect(bytes.subarray((from * bits) / 8, ((from + 8) * bits) / 8)).toEqual(
        packTwin(given.slice(from, from + 8), bits),
      );
      const back = new Float64Array(length);
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      unpackInto(back, shifted.subarray(3), bits);
      expect([...back]).toEqual(given);
    }
  });

  it('does not put wide values into words', () => {
    expect(() => {
      unpackInto(new Uint32Array(1), new Uint8Array(5), 33);
    }).toThrow('fit where');
  });
});

describe('low words', () => {
  it('are the residues of doubles, at every length', () => {
    for (const length of LENGTHS) {
      const given = Float64Array.from(words(length, 'low'), (word, k) =>
        k % 3 === 0 ? 2 ** 40 - 1 - k : word * 200 + k,
      );
      expect([...lowWords(given)]).toEqual([...given].map((value) => Number(BigInt.asIntN(32, BigInt(value)))));
    }
  });
});

describe('the fingerprint', () => {
  it('is that of the twin for words and for sums, at every length, of the largest and of any values', () => {
    for (const length of LENGTHS)
      for (const byte of [0xff, undefined]) {
        const weights = Uint8Array.from({ length: 8 * length }, (_, k) => byte ?? (k * 31 + (k >> 7) + 5) & 255);
        const given = words(length, 'print').map((word) => (byte === undefined ? word : ONES));
        const sums = given.map((word, k) => (byte === undefined ? word * 255 + k : 2 ** 40 - 1));
        for (const values of [within(given, 3), Float64Array.from(sums)]) {
          const print = new Fingerprint();
          print.update(values, weights);
          expect(print.digest()).toBe(fingerprintTwin([...values], weights));
        }
      }
  });
});

describe('stochastic rounding', () => {
  const rounding = (change: object = {}) => ({ shrink: 1, clip: Infinity, scale: 1000, top: 5000, ...change });

  it('is the plain loop bit for bit, on floats and doubles, whatever is cut', () => {
    const value = fc.oneof(
      fc.double({ min: -20, max: 20, noNaN: true }),
      fc.constantFrom(0, -0, 5, -5, 1e-320, 5.0005, -5.0005, 1e30, -1e300),
    );
    const change = fc.record({
      shrink: fc.constantFrom(1, 0.5, 1 / 3),
      clip: fc.constantFrom(Infinity, 5, 0.1),
      scale: fc.constantFrom(1, 1000, 2 ** 20 / 3),
      top: fc.constantFrom(1, 5000, 2 ** 31 - 1),
    });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), change, fc.nat(ONES), (values, given, seed) => {
        const random = Uint32Array.from(words(values.length, `${seed}`), (word, k) =>
          k % 4 === 0 ? ONES : k % 4 === 1 ? 0 : word,
        );
        for (const array of [
          Float64Array.from(values),
          Float32Array.from(values).map((x) => (Number.isFinite(x) ? x : 1)),
        ]) {
          const out = new Int32Array(values.length);
          const cuts = roundInto(out, array, random, rounding(given));
          const twin = roundTwin(array, random, rounding(given));
          expect([...out]).toEqual([...twin.out]);
          expect(cuts).toBe(twin.cuts);
        }
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('does not count what an earlier, longer block left behind', () => {
    const random = new Uint32Array(ROUNDED_AT_ONCE);
    roundInto(new Int32Array(ROUNDED_AT_ONCE), new Float64Array(ROUNDED_AT_ONCE).fill(100), random, rounding());
    expect(roundInto(new Int32Array(3), Float32Array.of(1, 2, 100), random, rounding())).toBe(1);
  });

  it('asks for one random word a coordinate in layout order, over several blocks', () => {
    const length = 2 * ROUNDED_AT_ONCE + 3;
    const quantiser = { kind: 'real', clipKind: 'each', clip: 1, scale: 1000, qMax: 1000 } as const;
    const layout = layoutOf([{ name: 'x', length, quantiser, visibility: 'public', coarseStep: 0 }]);
    const values = Float32Array.from(words(length, 'x'), (word) => word / 2 ** 31 - 1);
    const random = Uint32Array.from(words(length, 'u'));
    let at = 0;
    const { values: out } = quantise(layout, [{ name: 'x', values }], (count) => random.subarray(at, (at += count)));
    expect(at).toBe(length);
    expect([...out]).toEqual([...roundTwin(values, random, { shrink: 1, clip: 1, scale: 1000, top: 1000 }).out]);
  });

  it('refuses a bound that words cannot hold', () => {
    const quantiser = { kind: 'real', clipKind: 'each', clip: 1, scale: 2 ** 31, qMax: 2 ** 31 } as const;
    const layout = layoutOf([{ name: 'x', length: 1, quantiser, visibility: 'public', coarseStep: 0 }]);
    expect(() => quantise(layout, [{ name: 'x', values: Float32Array.of(1) }], () => new Uint32Array(1))).toThrow(
      'fit the words',
    );
  });
});
