// Shamir's secret sharing over GF(2^8) mod x^8 + x^4 + x^3 + x + 1 (0x11b), byte by byte. Time depends on public positions only:
// secret bytes are never used as an index or a condition. Four bytes ride in one 32-bit word.

import { invariant } from '../base/index.js';

export const SECRET_BYTES = 32;
const WORDS = SECRET_BYTES / 4;

/** A share and the 0-based index of its holder. Inside, the polynomial is evaluated at index + 1. */
export interface Share {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/**
 * t-of-n shares of 32 bytes. `coefficients`: 32 (t − 1) uniform bytes, the coefficient of x^k at [32 (k − 1), 32 k).
 * Share i is the polynomial at x = i + 1.
 */
export function split(secret: Uint8Array, n: number, t: number, coefficients: Uint8Array): Uint8Array[] {
  invariant(secret.length === SECRET_BYTES, 'a shared secret has 32 bytes');
  const whole = Number.isInteger(n) && Number.isInteger(t);
  invariant(whole && n >= 1 && n <= 255 && t >= 1 && t <= n, 'shares need 1 <= t <= n <= 255');
  invariant(coefficients.length === SECRET_BYTES * (t - 1), 'a polynomial of degree t-1 needs 32(t-1) random bytes');
  const rows = [toWords(secret)];
  for (let k = 0; k < t - 1; k++) rows.push(toWords(coefficients.subarray(SECRET_BYTES * k, SECRET_BYTES * (k + 1))));
  const shares: Uint8Array[] = [];
  for (let i = 0; i < n; i++) shares.push(evaluate(rows, i + 1));
  for (const row of rows) row.fill(0);
  return shares;
}

/** The secret from at least t shares of distinct holders; with fewer or wrong shares the result is unrelated to it. */
export function combine(shares: readonly Share[]): Uint8Array<ArrayBuffer> {
  const xs = shares.map((share) => share.index + 1);
  invariant(new Set(xs).size === xs.length && xs.every((x) => x >= 1 && x <= 255), 'shares have distinct holders');
  const out = new Uint32Array(WORDS);
  shares.forEach((share, k) => {
    invariant(share.bytes.length === SECRET_BYTES, 'a share has 32 bytes');
    const words = toWords(share.bytes);
    const weight = lagrangeAtZero(xs, k);
    for (let w = 0; w < WORDS; w++) out[w] = (out[w] ?? 0) ^ timesPublic(words[w] ?? 0, weight);
    words.fill(0);
  });
  return toBytes(out);
}

/** True when all shares lie on one polynomial of degree below t: what a dealer owes its recipients. Needs more than t shares to say no. */
export function onOnePolynomial(shares: readonly Share[], t: number): boolean {
  const base = shares.slice(0, t);
  return shares.slice(t).every((share) => {
    const xs = base.map((s) => s.index + 1);
    const x = share.index + 1;
    const expected = new Uint32Array(WORDS);
    base.forEach((s, k) => {
      const words = toWords(s.bytes);
      const weight = lagrangeAt(xs, k, x);
      for (let w = 0; w < WORDS; w++) expected[w] = (expected[w] ?? 0) ^ timesPublic(words[w] ?? 0, weight);
    });
    let difference = 0;
    const actual = toWords(share.bytes);
    for (let w = 0; w < WORDS; w++) difference |= (expected[w] ?? 0) ^ (actual[w] ?? 0);
    return difference === 0;
  });
}

/** Horner's rule from the highest coefficient down. */
function evaluate(rows: readonly Uint32Array[], x: number): Uint8Array {
  const acc = new Uint32Array(WORDS);
  for (let k = rows.length - 1; k >= 0; k--) {
    const row = rows[k];
    for (let w = 0; w < WORDS; w++) acc[w] = timesPublic(acc[w] ?? 0, x) ^ (row?.[w] ?? 0);
  }
  return toBytes(acc);
}

/** Four secret bytes times one public field element: branches on the public factor only. */
function timesPublic(word: number, factor: number): number {
  let product = 0;
  let doubled = word;
  for (let rest = factor; rest !== 0; rest >>>= 1) {
    if ((rest & 1) !== 0) product ^= doubled;
    doubled = double4(doubled);
  }
  return product >>> 0;
}

/** Doubles each of four field elements: shift, then fold the bits that left by 0x1b. */
function double4(word: number): number {
  const carries = (word >>> 7) & 0x01010101;
  return (((word & 0x7f7f7f7f) << 1) ^ (carries * 0x1b)) >>> 0;
}

function lagrangeAtZero(xs: readonly number[], k: number): number {
  return lagrangeAt(xs, k, 0);
}

/** Product over j ≠ k of (x − x_j) / (x_k − x_j); all positions are public. */
function lagrangeAt(xs: readonly number[], k: number, x: number): number {
  const own = xs[k] ?? 0;
  let numerator = 1;
  let denominator = 1;
  xs.forEach((other, j) => {
    if (j === k) return;
    numerator = timesPublic(numerator, x ^ other);
    denominator = timesPublic(denominator, own ^ other);
  });
  return timesPublic(numerator, inversePublic(denominator));
}

/** a^254, the inverse in GF(2^8). */
function inversePublic(a: number): number {
  let result = 1;
  for (let i = 0; i < 7; i++) {
    result = timesPublic(result, result);
    result = timesPublic(result, a);
  }
  return timesPublic(result, result);
}

function toWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (let w = 0; w < WORDS; w++) {
    words[w] =
      ((bytes[4 * w] ?? 0) |
        ((bytes[4 * w + 1] ?? 0) << 8) |
        ((bytes[4 * w + 2] ?? 0) << 16) |
        ((bytes[4 * w + 3] ?? 0) << 24)) >>>
      0;
  }
  return words;
}

function toBytes(words: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SECRET_BYTES);
  for (let w = 0; w < WORDS; w++) {
    const word = words[w] ?? 0;
    for (let b = 0; b < 4; b++) bytes[4 * w + b] = (word >>> (8 * b)) & 0xff;
  }
  return bytes;
}
