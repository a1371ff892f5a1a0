// Sums of products for the fingerprint (fingerprint.wat): the part of its arithmetic that is done for every coordinate.

import { MODULE } from './gen/fingerprint.js';
import { bytesOf, kernel, roundedUp } from './instance.js';

type Print = (values: number, weights: number, count: number, out: number) => void;

const printing = kernel<{ readonly words: Print; readonly doubles: Print }>(MODULE);

const BLOCK = 16 * 1024;
const LANES = 4;
const WEIGHTS = 8 * BLOCK;
const OUT = 16 * BLOCK;
const OUT_BYTES = 96;

/**
 * Calls `take` for each block of values with the sums, over the block, of the halves of products: low and high 32 bits of L·l, low and high
 * 32 bits of H·l, L·h and H·h, where a weight is L + 2^32 H and a value l + 2^32 h.
 */
export function products(
  values: Float64Array | Uint32Array,
  weights: Uint8Array,
  take: (sums: readonly bigint[]) => void,
): void {
  const { run, bytes } = printing();
  const print = values instanceof Uint32Array ? run.words : run.doubles;
  const size = values.BYTES_PER_ELEMENT;
  for (let at = 0; at < values.length; at += BLOCK) {
    const part = values.subarray(at, at + BLOCK);
    const rounded = roundedUp(part.length, LANES);
    bytes.set(bytesOf(part));
    // Zeros for the lanes behind a part that ends within a vector.
    bytes.fill(0, size * part.length, size * rounded);
    bytes.set(weights.subarray(8 * at, 8 * (at + part.length)), WEIGHTS);
    print(0, WEIGHTS, rounded, OUT);
    const lanes = new BigUint64Array(bytes.slice(OUT, OUT + OUT_BYTES).buffer);
    take(Array.from({ length: 6 }, (_, k) => (lanes[2 * k] ?? 0n) + (lanes[2 * k + 1] ?? 0n)));
  }
}
