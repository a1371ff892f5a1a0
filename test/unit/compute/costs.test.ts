// What a round costs in keystream, exactly: AES blocks of masks and of weights, as one thread makes them. Times belong to the bench.

import { afterEach, expect, it } from 'vitest';
import { HERE, ringOf } from '../../../src/compute/index.js';
import { freeKeystreamsBy, hash, LABELS } from '../../../src/crypto/index.js';
import { packedBytes, packSums, sumWidth, wideSums } from '../../../src/vector/index.js';

const BLOCK_BYTES = 16;
const LENGTH = 3 * (1 << 16) + 8;
const BITS = 24;
const t3 = hash(LABELS.inputKey, Uint8Array.of(5));

let bytes = 0;
afterEach(() => {
  freeKeystreamsBy(undefined);
});

/** Blocks of keystream that are made and given back while `work` runs. */
async function blocksOf(work: () => Promise<unknown>): Promise<number> {
  bytes = 0;
  freeKeystreamsBy((buffer) => {
    bytes += buffer.byteLength;
  });
  await work();
  return bytes / BLOCK_BYTES;
}

const keysFor = (n: number) => {
  const keys = (count: number) => Array.from({ length: count }, (_, k) => new Uint8Array(32).fill(k));
  return ringOf(HERE, { add: keys(Math.ceil(n / 2)), subtract: keys(Math.floor(n / 2)) });
};
const words = () => new Int32Array(LENGTH);
const sums = () => packSums(wideSums(LENGTH), 0, LENGTH, sumWidth(BITS));

it.each([5, 10, 50])('a silo of %i makes a quarter of a block for each mask and coordinate', async (n) => {
  const out = new Uint8Array(packedBytes(LENGTH, BITS));
  const mask = () => HERE.run('mask', { words: words(), start: 0, keys: keysFor(n), bits: BITS, out });
  expect(await blocksOf(mask)).toBe((n * LENGTH) / 4);
});

it('two fingerprints take a block for each coordinate, whatever the cohort', async () => {
  const print = () => HERE.run('fingerprint', { words: new Uint32Array(LENGTH), start: 0, t3 });
  expect(await blocksOf(print)).toBe(LENGTH);
});

it.each([
  [10, 0, 10],
  [10, 3, 28],
  [50, 15, 560],
])(
  'checking a sum of %i silos of which %i dropped takes the blocks of its %i masks and of two fingerprints',
  async (n, dropped, masks) => {
    const survivors = n - dropped;
    expect(survivors + dropped * survivors).toBe(masks);
    const range = { sums: sums(), start: 0, count: LENGTH, bits: BITS, keys: keysFor(masks), opened: words() };
    expect(await blocksOf(() => HERE.run('open', range))).toBe((masks * LENGTH) / 4);
    expect(await blocksOf(() => HERE.run('examine', { ...range, t3 }))).toBe((masks * LENGTH) / 4 + LENGTH);
  },
);
