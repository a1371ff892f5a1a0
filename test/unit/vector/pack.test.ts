// Bytes of words, fingerprints and arithmetic mod 2^m, each against a slow twin in whole numbers of any size.

import { describe, expect, it } from 'vitest';
import {
  addFingerprints,
  addInto,
  centreInto,
  Fingerprint,
  FINGERPRINT_PRIME,
  pack,
  packedBytes,
  packWords,
  reduceInto,
  subtractInto,
  sumWidth,
  unpackInto,
  unpackWords,
} from '../../../src/vector/index.js';
import { fingerprintTwin, packTwin, words } from '../../support/vector-twins.js';

describe('packing', () => {
  for (let width = 16; width <= 40; width++)
    it(`puts values of ${width} bits where its twin puts them, and takes them back`, () => {
      const max = 2 ** width - 1;
      for (const count of [0, 1, 7, 8, 9, 100]) {
        const values = words(count, `pack ${width}`).map((word, k) =>
          k % 5 === 0 ? max : k % 7 === 1 ? 0 : (word * 257 + k) % (max + 1),
        );
        const bytes = pack(values, width);
        expect(bytes).toEqual(packTwin(values, width));
        expect(bytes).toHaveLength(packedBytes(count, width));
        const back = new Float64Array(count);
        unpackInto(back, bytes, width);
        expect([...back]).toEqual(values);
      }
    });

  it('continues in pieces of eight values', () => {
    const values = words(64, 'pieces').map((word) => word % 2 ** 29);
    const pieces = [values.slice(0, 8), values.slice(8, 40), values.slice(40)].map((piece) => [...pack(piece, 29)]);
    expect(pieces.flat()).toEqual([...pack(values, 29)]);
  });

  for (const bits of [16, 17, 24, 31, 32])
    it(`carries masked words of ${bits} bits, also out of an unaligned view`, () => {
      const values = Int32Array.from(words(33, `words ${bits}`), (word) => (bits === 32 ? word | 0 : word % 2 ** bits));
      const wire = packWords(values, bits);
      const shifted = new Uint8Array(wire.length + 1);
      shifted.set(wire, 1);
      expect([...unpackWords(shifted.subarray(1), 33, bits)]).toEqual([...values].map((word) => word >>> 0));
      expect(wire).toHaveLength(packedBytes(33, bits));
    });

  it('has no room for a width that a double cannot hold, and reads no further than there is', () => {
    expect(() => pack([1], 45)).toThrow('44 bits');
    expect(() => pack([1], 0)).toThrow('44 bits');
    expect(() => {
      unpackInto(new Float64Array(2), new Uint8Array(3), 16);
    }).toThrow('enough bytes');
    expect(sumWidth(32)).toBe(40);
  });
});

describe('a fingerprint', () => {
  const weights = (count: number, byte?: number): Uint8Array =>
    Uint8Array.from({ length: 8 * count }, (_, k) => byte ?? (k * 197 + (k >> 3) * 91 + 13) & 255);

  it('is that of its twin, at the largest values and weights and past every flush', () => {
    for (const count of [0, 1, 2, 4095, 4096, 4097, 10_000]) {
      for (const [values, byte] of [
        [new Array<number>(count).fill(2 ** 40 - 1), 255],
        [words(count, 'print').map((word, k) => word * 256 + (k & 255)), undefined],
      ] as const) {
        const print = new Fingerprint();
        print.update(values, weights(count, byte));
        expect(print.digest()).toBe(fingerprintTwin(values, weights(count, byte)));
      }
    }
  });
  it('is the same in pieces of any size', () => {
    const values = words(9001, 'pieces');
    const print = new Fingerprint();
    let at = 0;
    for (const size of [1, 4096, 0, 3, 4901]) {
      print.update(values.slice(at, at + size), weights(9001).subarray(8 * at, 8 * (at + size)));
      at += size;
    }
    expect(at).toBe(9001);
    expect(print.digest()).toBe(fingerprintTwin(values, weights(9001)));
    expect(print.digest()).toBe(fingerprintTwin(values, weights(9001)));
  });
  it('takes the low 61 bits of each weight', () => {
    const [low, high] = [new Fingerprint(), new Fingerprint()];
    low.update([5], Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    high.update([5], Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0xe0));
    expect(high.digest()).toBe(low.digest());
  });
  it('changes with every single unit and is added up modulo the prime', () => {
    const values = words(50, 'unit');
    const of = (given: number[]): bigint => {
      const print = new Fingerprint();
      print.update(given, weights(50));
      return print.digest();
    };
    for (let k = 0; k < 50; k++)
      expect(of(values.map((value, i) => (i === k ? value + 1 : value)))).not.toBe(of(values));
    const doubled = addFingerprints([of(values), of(values)]);
    expect(doubled).toBe(of(values.map((value) => 2 * value)));
    expect(addFingerprints([FINGERPRINT_PRIME - 1n, 1n])).toBe(0n);
    expect(addFingerprints([])).toBe(0n);
  });
  it('refuses weights that are not eight bytes for each value', () => {
    expect(() => {
      new Fingerprint().update([1, 2], new Uint8Array(15));
    }).toThrow('8-byte weight');
  });
});

describe('arithmetic modulo 2^m', () => {
  for (const bits of [16, 17, 24, 31, 32])
    it(`adds, subtracts, reduces and centres as its twin does, m = ${bits}`, () => {
      const [a, b] = [words(103, 'a'), words(103, 'b')];
      const residue = (value: bigint): bigint => BigInt.asUintN(bits, value);
      const sum = Int32Array.from(a);
      addInto(sum, Int32Array.from(b));
      reduceInto(sum, bits);
      expect([...sum].map((word) => residue(BigInt(word)))).toEqual(
        a.map((word, k) => residue(BigInt(word) + BigInt(b[k]!))),
      );
      subtractInto(sum, Int32Array.from(b));
      subtractInto(sum, Int32Array.from(b));
      reduceInto(sum, bits);
      expect([...sum].map((word) => residue(BigInt(word)))).toEqual(
        a.map((word, k) => residue(BigInt(word) - BigInt(b[k]!))),
      );
      if (bits < 32) for (const word of sum) expect(word >= 0 && word < 2 ** bits).toBe(true);
      const expected = [...sum].map((word) => Number(BigInt.asIntN(bits, BigInt(word))));
      centreInto(sum, bits);
      expect([...sum]).toEqual(expected);
    });
});
