// Slow twins of the vector room, in whole numbers of any size, and words that are the same in every run.

import { createHash } from 'node:crypto';

const PRIME = (1n << 61n) - 1n;

/** `count` numbers from 0 to 2^32 − 1. */
export function words(count: number, name: string): number[] {
  const out: number[] = [];
  for (let block = 0; out.length < count; block++) {
    const digest = createHash('sha256').update(`${name} ${block}`).digest();
    for (let k = 0; k < 8 && out.length < count; k++) out.push(digest.readUInt32LE(4 * k));
  }
  return out;
}

/** One integer with value k at bit k · width, as little-endian bytes. */
export function packTwin(values: readonly number[], width: number): Uint8Array {
  let whole = 0n;
  values.forEach((value, k) => (whole |= BigInt(value) << BigInt(k * width)));
  return Uint8Array.from({ length: Math.ceil((values.length * width) / 8) }, (_, k) =>
    Number((whole >> BigInt(8 * k)) & 255n),
  );
}

export function fingerprintTwin(values: readonly number[], weights: Uint8Array): bigint {
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  return values.reduce((sum, value, k) => (sum + (view.getBigUint64(8 * k, true) & PRIME) * BigInt(value)) % PRIME, 0n);
}

/** The plain loop of stochastic rounding, and how often a cut changed a value. */
export function roundTwin(
  values: Float32Array | Float64Array,
  random: Uint32Array,
  { shrink, clip, scale, top }: { shrink: number; clip: number; scale: number; top: number },
): { readonly out: Int32Array; readonly cuts: number } {
  const out = new Int32Array(values.length);
  let cuts = 0;
  values.forEach((value, i) => {
    let x = value * shrink;
    if (Math.abs(x) > clip) {
      x = Math.sign(x) * clip;
      cuts++;
    }
    const q = Math.floor(x * scale + random[i]! * 2 ** -32);
    const kept = Math.max(-top, Math.min(top, q));
    if (kept !== q) cuts++;
    out[i] = kept;
  });
  return { out, cuts };
}
