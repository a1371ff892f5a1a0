// A masked vector must look uniform whatever the input, to whoever lacks the keys, and two rounds must have nothing in common. Statistical
// tests find blunders (a reused mask, a counter that stands still, a biased word), not cryptanalysis: each is shown to find one. All seeds
// are fixed, so a test that passes passes always.

import { describe, expect, it } from 'vitest';
import { asHash } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import { applyMasks, inputMasks } from '../../../src/protocol/masking.js';
import { attemptSecrets } from '../../../src/protocol/secrets.js';
import { seedFrom } from '../../support/memory/founding.js';

const LENGTH = 1 << 17;
const SILOS = 4;
/** In standard deviations: less than one in 10^8 by chance, for each statistic. */
const FAR = 6;

/** The masked zero vector of silo `own` in an attempt of a round. */
function maskedZero(own: number, round: string, attempt = 1, bits = 32): Int32Array {
  const [rid, t2] = [asHash(seedFrom(`rid ${round}`))!, asHash(seedFrom(`t2 ${round} ${attempt}`))!];
  const secrets = Array.from({ length: SILOS }, (_, i) =>
    attemptSecrets(SecretBytes.of<'rho'>(seedFrom(`rho ${round} ${attempt} ${i}`)), rid, attempt),
  );
  const { mask, selfSecret } = secrets[own]!;
  const peers = new Map(secrets.flatMap((one, j) => (j === own ? [] : [[j, one.mask.publicKey] as const])));
  const words = new Int32Array(LENGTH);
  applyMasks(words, 0, inputMasks(mask, selfSecret, own, peers, t2), bits);
  return words;
}

const bytesOf = (words: Int32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** Chi-square of counts against equal ones, as standard deviations from its mean: (x - k) / sqrt(2k). */
function chiSquare(counts: Float64Array): number {
  const total = counts.reduce((sum, one) => sum + one, 0);
  const expected = total / counts.length;
  const x = counts.reduce((sum, one) => sum + (one - expected) ** 2 / expected, 0);
  const free = counts.length - 1;
  return (x - free) / Math.sqrt(2 * free);
}

function frequencies(words: Int32Array, lane: number): number {
  const counts = new Float64Array(256);
  const bytes = bytesOf(words);
  for (let at = lane; at < bytes.length; at += 4) counts[bytes[at]!]!++;
  return chiSquare(counts);
}

/** Serial test: pairs of neighbouring bytes, not overlapping. */
function pairs(words: Int32Array): number {
  const counts = new Float64Array(65_536);
  const bytes = bytesOf(words);
  for (let at = 0; at + 1 < bytes.length; at += 2) counts[(bytes[at]! << 8) | bytes[at + 1]!]!++;
  return chiSquare(counts);
}

/** Serial test across coordinates: the lowest byte of each with that of the one `lag` further on. */
function neighbours(words: Int32Array, lag: number): number {
  const counts = new Float64Array(4_096);
  for (let k = 0; k + lag < words.length; k += lag + 1) counts[((words[k]! & 63) << 6) | (words[k + lag]! & 63)]!++;
  return chiSquare(counts);
}

/** Correlation of the two vectors' words, as standard deviations from none. */
function correlation(a: Int32Array, b: Int32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! / 2 ** 31) * (b[k]! / 2 ** 31);
  // Uniform on [-1, 1) has variance 1/3.
  return (sum * 3) / Math.sqrt(a.length);
}

/** Equal bits of the two vectors, as standard deviations from a half. */
function equalBits(a: Int32Array, b: Int32Array): number {
  let equal = 0;
  for (let k = 0; k < a.length; k++) for (let x = ~(a[k]! ^ b[k]!); x !== 0; x &= x - 1) equal++;
  const bits = 32 * a.length;
  return (equal - bits / 2) / Math.sqrt(bits / 4);
}

const worst = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe('a masked zero vector', () => {
  const vectors = Array.from({ length: SILOS }, (_, i) => maskedZero(i, 'one'));

  it('has every byte equally often in each place of a word', () => {
    expect(worst(vectors.flatMap((words) => [0, 1, 2, 3].map((lane) => frequencies(words, lane))))).toBeLessThan(FAR);
  });

  it('has every pair of neighbours equally often, within words and between coordinates', () => {
    expect(worst(vectors.map(pairs))).toBeLessThan(FAR);
    // 4 words are a keystream block.
    for (const lag of [1, 2, 4, 64]) expect(worst(vectors.map((words) => neighbours(words, lag)))).toBeLessThan(FAR);
  });

  it('fills exactly the bits of a narrower modulus, uniformly', () => {
    const words = maskedZero(0, 'narrow', 1, 20);
    const counts = new Float64Array(256);
    for (const word of words) counts[(word >>> 12) & 255]!++;
    expect(words.filter((word) => word >>> 20 !== 0)).toHaveLength(0);
    expect(Math.abs(chiSquare(counts))).toBeLessThan(FAR);
  });

  it('has nothing in common with that of another silo, attempt or round', () => {
    const others = [...vectors.slice(1), maskedZero(0, 'one', 2), maskedZero(0, 'two')];
    for (const other of others) {
      expect(Math.abs(correlation(vectors[0]!, other))).toBeLessThan(FAR);
      expect(Math.abs(equalBits(vectors[0]!, other))).toBeLessThan(FAR);
    }
  });
});

describe('the statistics find', () => {
  const good = maskedZero(0, 'one');

  it('a vector that is not masked', () => {
    expect(frequencies(new Int32Array(LENGTH), 0)).toBeGreaterThan(FAR);
    expect(pairs(new Int32Array(LENGTH))).toBeGreaterThan(FAR);
  });

  it('a byte that is one value a hundredth too often', () => {
    const biased = good.map((word, k) => (k % 100 === 0 ? word & ~0xff : word));
    expect(frequencies(biased, 0)).toBeGreaterThan(FAR);
  });

  it('a keystream whose counter stands still', () => {
    const stuck = good.map((_, k) => good[k % 4]!);
    expect(neighbours(stuck, 4)).toBeGreaterThan(FAR);
  });

  it('a mask used for two inputs', () => {
    const again = good.map((word, k) => (word + (k % 1000)) | 0);
    expect(correlation(good, again)).toBeGreaterThan(FAR);
    expect(equalBits(good, again)).toBeGreaterThan(FAR);
  });
});
