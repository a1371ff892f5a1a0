// Shamir's sharing over GF(2^8): any t shares give the secret, t - 1 say nothing, and a slow independent twin agrees.

import { describe, expect, it } from 'vitest';
import { sha256, combine, onOnePolynomial, split, type Share } from '../../../src/crypto/index.js';
import { concat, utf8 } from '../../../src/base/index.js';

/** Russian-peasant multiplication mod 0x11b, one element at a time. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 15; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11b << (bit - 8);
  return product;
}
const inverse = (a: number): number => Array.from({ length: 256 }, (_, b) => b).find((b) => times(a, b) === 1)!;

function slowSplit(secret: Uint8Array, n: number, t: number, coefficients: Uint8Array): Uint8Array[] {
  return Array.from({ length: n }, (_, i) =>
    secret.map((byte, k) => {
      let [sum, power] = [byte, 1];
      for (let degree = 1; degree < t; degree++) {
        power = times(power, i + 1);
        sum ^= times(coefficients[32 * (degree - 1) + k]!, power);
      }
      return sum;
    }),
  );
}

/** Value at x of the polynomial through the shares. */
function slowInterpolate(shares: readonly Share[], x: number): Uint8Array {
  const weights = shares.map(({ index }) =>
    shares.reduce((product, other) => {
      if (other.index === index) return product;
      return times(product, times(x ^ (other.index + 1), inverse((index + 1) ^ (other.index + 1))));
    }, 1),
  );
  return shares[0]!.bytes.map((_, k) => shares.reduce((sum, { bytes }, i) => sum ^ times(bytes[k]!, weights[i]!), 0));
}

const random = (name: string, length: number): Uint8Array =>
  concat(...Array.from({ length: Math.ceil(length / 32) }, (_, k) => sha256(utf8(`${name} ${k}`)))).slice(0, length);
const dealt = (n: number, t: number, name = `${n}/${t}`): { secret: Uint8Array; shares: Share[] } => {
  const secret = random(`secret ${name}`, 32);
  const shares = split(secret, n, t, random(`coefficients ${name}`, 32 * (t - 1)));
  return { secret, shares: shares.map((bytes, index) => ({ index, bytes })) };
};

function choose<T>(all: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return all.flatMap((one, k) => choose(all.slice(k + 1), count - 1).map((rest) => [one, ...rest]));
}

describe('sharing', () => {
  const CASES = [
    [1, 1],
    [3, 3],
    [5, 4],
    [7, 5],
    [10, 7],
    [200, 134],
    [255, 2],
  ] as const;
  for (const [n, t] of CASES)
    it(`agrees with its slow twin for ${t} of ${n}`, () => {
      const secret = random('twin', 32);
      const coefficients = random('twin coefficients', 32 * (t - 1));
      expect(split(secret, n, t, coefficients)).toEqual(slowSplit(secret, n, t, coefficients));
    });

  it('gives the secret back from any t shares and from more', () => {
    for (const [n, t] of [
      [3, 3],
      [5, 4],
      [7, 5],
    ] as const) {
      const { secret, shares } = dealt(n, t);
      for (let count = t; count <= n; count++)
        for (const some of choose(shares, count)) expect(combine(some)).toEqual(secret);
      for (const some of choose(shares, t)) expect(combine([...some].reverse())).toEqual(secret);
    }
    const { secret, shares } = dealt(200, 134);
    expect(combine(shares.slice(66))).toEqual(secret);
  });

  it('agrees with its slow twin in combining', () => {
    const { shares } = dealt(9, 6);
    for (const some of choose(shares, 6).slice(0, 20)) expect(combine(some)).toEqual(slowInterpolate(some, 0));
  });

  it('gives something unrelated from t - 1 shares, with which every secret is possible', () => {
    const { secret, shares } = dealt(5, 4);
    for (const few of choose(shares, 3)) {
      expect(combine(few)).not.toEqual(secret);
      // For each candidate of a byte there is one polynomial of degree 3 through it and the three shares; none is ruled out.
      const seen = new Set<number>();
      for (let candidate = 0; candidate < 256; candidate++) {
        const at0: Share = { index: -1, bytes: new Uint8Array(32).fill(candidate) };
        const fourth = slowInterpolate([at0, ...few], 9);
        const completed = [...few, { index: 8, bytes: fourth }];
        expect(combine(completed)[0]).toBe(candidate);
        seen.add(fourth[0]!);
      }
      expect(seen.size).toBe(256);
    }
  });

  it('tells shares that are off the polynomial once there are more than t', () => {
    const { shares } = dealt(7, 5);
    expect(onOnePolynomial(shares, 5)).toBe(true);
    for (let holder = 0; holder < 7; holder++)
      for (const byte of [0, 31]) {
        const bent = shares.map((one, k) =>
          k === holder ? { ...one, bytes: one.bytes.map((b, i) => (i === byte ? b ^ 1 : b)) } : one,
        );
        expect(onOnePolynomial(bent, 5)).toBe(false);
        expect(onOnePolynomial(bent.slice(0, 5), 5)).toBe(true);
      }
    expect(onOnePolynomial(shares, 4)).toBe(false);
  });

  it('refuses thresholds, lengths and holders that make no sense', () => {
    const secret = new Uint8Array(32);
    for (const [n, t] of [
      [2, 3],
      [0, 0],
      [256, 2],
      [3, 0],
      [3, 1.5],
    ] as const)
      expect(() => split(secret, n, t, new Uint8Array(Math.max(0, 32 * (t - 1))))).toThrow('shares need');
    expect(() => split(secret.slice(1), 3, 2, secret)).toThrow('32 bytes');
    expect(() => split(secret, 3, 2, new Uint8Array(64))).toThrow('random bytes');
    expect(() =>
      combine([
        { index: 1, bytes: secret },
        { index: 1, bytes: secret },
      ]),
    ).toThrow('distinct holders');
    expect(() => combine([{ index: 255, bytes: secret }])).toThrow('distinct holders');
    expect(() => combine([{ index: 0, bytes: secret.slice(1) }])).toThrow('32 bytes');
  });
});
