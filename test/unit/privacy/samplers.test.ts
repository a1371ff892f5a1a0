// Every sampler against the exact distribution: moments, chi-square, tails; and a sampler that is slightly wrong, which must fail.

import { describe, expect, it } from 'vitest';
import { Keystream, sha256 } from '../../../src/crypto/index.js';
import { utf8 } from '../../../src/base/index.js';
import {
  addNoiseInto,
  noiseTable,
  PrivacyError,
  flattened,
  rotateBackInto,
  rotatedWidth,
  rotateInto,
  rotationFrom,
  roundedNormBound,
  type NoiseKind,
} from '../../../src/privacy/index.js';
import { l2Norm } from '../../../src/vector/index.js';
import { discreteGaussianPmf, skellamPmf } from '../../support/privacy/truth.js';

const COUNT = 200_000;

/** Seeded: a test of chance that always gives the same answer. */
function stream(name: string): (length: number) => Uint8Array {
  const keystream = new Keystream(sha256(utf8(name)));
  return (length) => keystream.next(length);
}

function samples(noise: NoiseKind, name: string, count = COUNT): Int32Array {
  const values = new Int32Array(count);
  addNoiseInto(values, noiseTable(noise), stream(name));
  return values;
}

/** Standardised chi-square over the values expected at least ten times: about normal, so beyond 5 is a broken sampler. */
function chiSquare(values: Int32Array, pmf: (k: number) => number, reach: number): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let statistic = 0;
  let cells = 0;
  let seen = 0;
  let expectedSeen = 0;
  for (let k = -reach; k <= reach; k++) {
    const expected = pmf(k) * values.length;
    if (expected < 10) continue;
    const count = counts.get(k) ?? 0;
    statistic += (count - expected) ** 2 / expected;
    seen += count;
    expectedSeen += expected;
    cells++;
  }
  const rest = values.length - expectedSeen;
  if (rest > 10) statistic += (values.length - seen - rest) ** 2 / rest;
  return (statistic - cells) / Math.sqrt(2 * cells);
}

const CASES: [string, NoiseKind, (k: number) => number, number][] = [
  ['Skellam of variance 0.5', { kind: 'skellam', variance: 0.5 }, skellamPmf(0.5), 0.5],
  ['Skellam of variance 9', { kind: 'skellam', variance: 9 }, skellamPmf(9), 9],
  ['Skellam of variance 400.3', { kind: 'skellam', variance: 400.3 }, skellamPmf(400.3), 400.3],
  ['discrete Gaussian of sigma 1', { kind: 'discrete-gaussian', sigma: 1 }, discreteGaussianPmf(1), 1],
  ['discrete Gaussian of sigma 17.7', { kind: 'discrete-gaussian', sigma: 17.7 }, discreteGaussianPmf(17.7), 17.7 ** 2],
];

describe.each(CASES)('%s', (name, noise, pmf, variance) => {
  const values = samples(noise, name);
  const sigma = Math.sqrt(variance);

  it('has its mean, variance and fourth moment', () => {
    const mean = values.reduce((sum, value) => sum + value, 0) / COUNT;
    const square = values.reduce((sum, value) => sum + value * value, 0) / COUNT;
    const fourth = values.reduce((sum, value) => sum + value ** 4, 0) / COUNT;
    expect(Math.abs(mean)).toBeLessThan((5 * sigma) / Math.sqrt(COUNT));
    const true4 = moment(pmf, 4, variance);
    const true8 = moment(pmf, 8, variance);
    expect(Math.abs(square - moment(pmf, 2, variance))).toBeLessThan(5 * Math.sqrt((true4 - variance ** 2) / COUNT));
    expect(Math.abs(fourth - true4)).toBeLessThan(5 * Math.sqrt((true8 - true4 ** 2) / COUNT));
  });

  it('has its distribution, by chi-square', () => {
    expect(chiSquare(values, pmf, Math.ceil(12 * sigma) + 10)).toBeLessThan(5);
  });

  it('has its tails, also where one of a thousand samples lies', () => {
    const edge = Math.ceil(3.2 * sigma);
    let expected = 0;
    for (let k = edge; k < 40 * sigma + 40; k++) expected += 2 * pmf(k) * COUNT;
    const seen = values.filter((value) => Math.abs(value) >= edge).length;
    expect(Math.abs(seen - expected)).toBeLessThan(5 * Math.sqrt(expected) + 1);
  });

  it('has a table whose probabilities are the exact ones', () => {
    const { words, reach, distance } = noiseTable(noise);
    const cumulative = (i: number): number => words.reduce((sum, word, w) => sum + word[i]! * 2 ** (-32 * (w + 1)), 0);
    for (const k of [-3, 0, 2, Math.ceil(sigma)])
      expect((cumulative(k + reach) - cumulative(k + reach - 1)) / pmf(k)).toBeCloseTo(1, 9);
    expect(distance).toBeLessThan(2 ** -100);
  });
});

function moment(pmf: (k: number) => number, power: number, variance: number): number {
  let sum = 0;
  for (let k = 1; k < 30 * Math.sqrt(variance) + 60; k++) sum += 2 * pmf(k) * k ** power;
  return sum;
}

describe('a sampler that is wrong', () => {
  it('is noticed: a variance one per cent off, a rounded normal variable, a bit that is stuck', () => {
    const truth = skellamPmf(9);
    expect(chiSquare(samples({ kind: 'skellam', variance: 9.3 }, 'off'), truth, 50)).toBeGreaterThan(5);
    expect(chiSquare(samples({ kind: 'discrete-gaussian', sigma: 3 }, 'other kind'), truth, 50)).toBeGreaterThan(5);
    const stuck = new Int32Array(COUNT);
    const bytes = stream('stuck');
    addNoiseInto(stuck, noiseTable({ kind: 'skellam', variance: 9 }), (length) =>
      bytes(length).map((byte, i) => (i % 4 === 3 ? byte & 0xfe : byte)),
    );
    expect(chiSquare(stuck, truth, 50)).toBeGreaterThan(5);
  });
});

describe('noise', () => {
  it('is added to what is there, the same for the same bytes', () => {
    const [a, b] = [new Int32Array(5000).fill(1000), new Int32Array(5000).fill(1000)];
    const table = noiseTable({ kind: 'skellam', variance: 100 });
    addNoiseInto(a, table, stream('same'));
    addNoiseInto(b, table, stream('same'));
    expect(a).toStrictEqual(b);
    expect(Math.abs(a.reduce((sum, value) => sum + value, 0) / 5000 - 1000)).toBeLessThan(1);
  });

  it('is decided by later words where the first is not enough', () => {
    const table = noiseTable({ kind: 'skellam', variance: 9 });
    const extreme = (byte: number): number => {
      const values = new Int32Array(1);
      addNoiseInto(values, table, (length) => new Uint8Array(length).fill(byte));
      return values[0]!;
    };
    // The lowest values have probabilities below 2^-128.
    expect(extreme(0)).toBeLessThan(-0.9 * table.reach);
    expect(extreme(255)).toBeGreaterThan(0.9 * table.reach);
  });

  it('refuses a variance outside of what a table holds', () => {
    for (const variance of [0, -1, NaN, 0.001, 2 ** 40])
      expect(() => noiseTable({ kind: 'skellam', variance })).toThrow(PrivacyError);
  });
});

describe('the rotation', () => {
  it.each([1, 2, 3, 64, 1000, 1024, 1025, 2047])('keeps the norm of %i coordinates, flattens, and is undone', (d) => {
    const turn = rotationFrom(stream('signs'), d);
    const bound = 5 * flattened(d);
    for (const at of new Set([0, Math.floor(d / 2), d - 1])) {
      const vector = new Float64Array(d);
      vector[at] = 5;
      const turned = vector.slice();
      rotateInto(turned, turn);
      expect(l2Norm(turned)).toBeCloseTo(5, 12);
      expect(Math.max(...turned.map(Math.abs))).toBeLessThan(bound + 1e-9);
      rotateBackInto(turned, turn);
      turned.forEach((value, i) => {
        expect(value).toBeCloseTo(vector[i]!, 12);
      });
    }
  });

  it('pads nothing, and turns at least half of the coordinates in each step', () => {
    expect([1, 2, 3, 1023, 1024, 1025].map(rotatedWidth)).toEqual([1, 2, 2, 512, 1024, 1024]);
    expect(rotationFrom(stream('one'), 1024).second).toBeUndefined();
    expect(rotationFrom(stream('two'), 1025).second).toHaveLength(128);
  });

  it('bounds coordinates of the vector that an adversary would choose without its signs, and not one chosen with them', () => {
    const d = 3000;
    const turn = rotationFrom(stream('known'), d);
    const vector = Float64Array.from({ length: d }, (_, i) => (i % 7) - 3);
    const norm = l2Norm(vector);
    const turned = vector.slice();
    rotateInto(turned, turn);
    expect(Math.max(...turned.map(Math.abs))).toBeLessThan(flattened(d) * norm);
    // What is turned back from one long coordinate is turned to it again.
    const chosen = new Float64Array(d);
    chosen[2000] = norm;
    rotateBackInto(chosen, turn);
    rotateInto(chosen, turn);
    expect(Math.max(...chosen.map(Math.abs))).toBeGreaterThan(flattened(d) * norm);
  });
});

describe('the bound of conditional rounding', () => {
  it('is close to the clip where that is long beside sqrt(d), and never above what any rounding gives', () => {
    expect(roundedNormBound(3600, 1_000_000) / 3600).toBeLessThan(1.02);
    expect(roundedNormBound(10, 1_000_000)).toBeLessThan(1010);
    for (const clip of [1, 30, 1000]) expect(roundedNormBound(clip, 4)).toBeLessThanOrEqual(clip + 2);
  });
});
