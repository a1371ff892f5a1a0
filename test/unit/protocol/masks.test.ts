// What masks look like from outside, and rounds with every kind of modulus and size (docs/protocol.md §2.3 P3, §6).

import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../../src/crypto/index.js';
import { attemptSecrets } from '../../../src/protocol/secrets.js';
import { inputMasks } from '../../../src/protocol/masking.js';
import { asHash } from '../../../src/base/index.js';
import { unpackWords } from '../../../src/vector/index.js';
import { Visibility, type Segment } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { seedFrom } from '../../support/memory/founding.js';

/** A segment to which each silo adds at most 1 in each coordinate. */
function long(length: number): Segment {
  return {
    name: 'bits',
    length: BigInt(length),
    quantiser: { $case: 'integer', value: { max: 1n } },
    visibility: Visibility.VISIBILITY_PUBLIC,
    coarseStep: 0n,
  };
}

/** Runs rounds in which every silo sends zeros; returns the masked words of each by round. */
function maskedZeros(length: number, bits: number, rounds: number): Uint32Array[][] {
  const consortium = new MemoryConsortium(4, {
    manifest: { roundLimit: rounds, modulusBits: bits, layout: { segments: [long(length)] } },
  });
  for (const silo of consortium.silos) silo.input = (_, count) => new Int32Array(count);
  consortium.run();
  expect(consortium.job.closed.every(({ acks }) => acks.size === 4)).toBe(true);
  for (const sum of consortium.openedSums.values()) expect(sum.every((value) => value === 0)).toBe(true);
  const perRound = [...consortium.uploads.values()].map((bytes) => unpackWords(bytes, length, bits));
  return Array.from({ length: rounds }, (_, r) => perRound.slice(4 * r, 4 * r + 4));
}

/** Pearson's statistic of the low byte: 255 degrees of freedom, mean 255, standard deviation about 22.6. */
function chiSquare(values: Iterable<number>): number {
  const counts = new Float64Array(256);
  let total = 0;
  for (const value of values) {
    counts[value & 255]!++;
    total++;
  }
  const expected = total / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
// Far in the tail for uniform bytes (below 1 in 10^9); what is not uniform exceeds it by far. The seeds are fixed.
const BOUND = 400;

describe('a masked vector of zeros', () => {
  const LENGTH = 16_384;
  for (const bits of [16, 32])
    it(`looks uniform in its low and its high bits (${bits} bits), and so do differences of silos and of rounds`, () => {
      const [first, second] = maskedZeros(LENGTH, bits, 2);
      const views: Record<string, Iterable<number>> = {
        low: first![0]!,
        high: first![0]!.map((word) => word >>> (bits - 8)),
        betweenSilos: first![0]!.map((word, k) => word - first![1]![k]!),
        betweenRounds: first![0]!.map((word, k) => word - second![0]![k]!),
        neighbours: first![0]!.map((word, k) => word - (first![0]![k + 1] ?? 0)),
      };
      for (const view of Object.values(views)) expect(chiSquare(view)).toBeLessThan(BOUND);
      // The measure itself: zeros without a mask, and a mask used twice.
      expect(chiSquare(new Uint32Array(LENGTH))).toBeGreaterThan(BOUND);
      expect(chiSquare(first![0]!.map((word) => word - word))).toBeGreaterThan(BOUND);
    });

  it('has a correlation of next to nothing with that of another round', () => {
    const [first, second] = maskedZeros(LENGTH, 32, 2);
    const centre = (words: Uint32Array): number[] => [...words].map((word) => word / 2 ** 32 - 0.5);
    const [a, b] = [centre(first![0]!), centre(second![0]!)];
    const correlation = (12 / LENGTH) * a.reduce((sum, value, k) => sum + value * b[k]!, 0);
    // Standard deviation 1/sqrt(16384) = 0.0078.
    expect(Math.abs(correlation)).toBeLessThan(0.04);
    expect((12 / LENGTH) * a.reduce((sum, value) => sum + value * value, 0)).toBeGreaterThan(0.9);
  });
});

describe('the secrets of an attempt', () => {
  const rho = SecretBytes.of<'rho'>(seedFrom('rho'));
  const rid = asHash(seedFrom('rid'))!;
  const all = (attempt: number, of = rid): string[] => {
    const secrets = attemptSecrets(rho, of, attempt);
    const t2 = asHash(seedFrom('t2'))!;
    const peer = attemptSecrets(SecretBytes.of<'rho'>(seedFrom('peer')), of, 1).mask.publicKey;
    const { add, subtract } = inputMasks(
      secrets.mask,
      secrets.selfSecret,
      3,
      new Map([
        [1, peer],
        [5, peer],
      ]),
      t2,
    );
    return [
      secrets.channel.publicKey,
      secrets.mask.publicKey,
      secrets.maskSecret.reveal(),
      secrets.selfSecret.reveal(),
      secrets.ephemeral(0).publicKey,
      secrets.ephemeral(1).publicKey,
      secrets.coefficients('self', 3).slice(0, 32),
      secrets.coefficients('self', 3).slice(32),
      secrets.coefficients('key', 3).slice(0, 32),
      secrets.coefficients('key', 3).slice(32),
      ...add,
      ...subtract,
    ].map((bytes) => Buffer.from(bytes).toString('hex'));
  };
  it('are all different from each other, from those of other attempts and of other rounds, and the same again', () => {
    const everything = [...all(1), ...all(2), ...all(1, asHash(seedFrom('other')))];
    expect(new Set(everything).size).toBe(everything.length);
    expect(all(1)).toEqual(all(1));
  });
});

describe('a modulus', () => {
  for (const bits of [16, 17, 20, 24, 31, 32])
    it(`of ${bits} bits gives the exact sum with somebody dropped`, () => {
      const consortium = new MemoryConsortium(5, {
        manifest: { roundLimit: 1, modulusBits: bits, layout: { segments: [long(1001)] } },
      });
      for (const silo of consortium.silos)
        silo.input = (_, count) => Int32Array.from({ length: count }, (__, k) => Number(k % 5 === silo.index));
      consortium.hooks.arrive = ({ index }, { type }) => !(index === 3 && type === 'masked-header');
      consortium.run();
      expect(consortium.job.closed[0]!.acks.size).toBe(5);
      expect([...consortium.openedSums.get(1)!]).toEqual(Array.from({ length: 1001 }, (_, k) => Number(k % 5 !== 3)));
    });
});

describe('a cohort', () => {
  for (const [n, c] of [
    [3, 0],
    [6, 1],
    [8, 2],
    [16, 5],
    [30, 9],
  ] as const)
    it(`of ${n} with c = ${c} opens its exact sum, with as many dropped as may be`, () => {
      const layout = { segments: [long(n)] };
      const consortium = new MemoryConsortium(n, { manifest: { roundLimit: 1, maxMalicious: c, layout } });
      for (const silo of consortium.silos)
        silo.input = (_, count) => Int32Array.from({ length: count }, (__, k) => Number(k === silo.index));
      const dropped = Math.ceil(n / 3) - 1;
      consortium.hooks.arrive = ({ index }, { type }) => !(index < dropped && type === 'masked-header');
      consortium.run();
      expect([...consortium.openedSums.get(1)!]).toEqual(Array.from({ length: n }, (_, k) => Number(k >= dropped)));
      expect(consortium.job.closed[0]!.acks.size).toBe(n);
    });
});
