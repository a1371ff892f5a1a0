// What a round hashes of its vectors, exactly: bytes that go into SHA-256. Times belong to the bench.

import type * as NodeCrypto from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { GrowingRoot, HERE } from '../../../src/compute/index.js';
import { INPUT_BLOCK_BYTES, sumHasher } from '../../../src/protocol/index.js';

const counted = vi.hoisted(() => ({ bytes: 0 }));
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof NodeCrypto>();
  const createHash = (name: string) => {
    const hash = actual.createHash(name);
    const self = {
      update: (bytes: Uint8Array) => {
        counted.bytes += bytes.length;
        hash.update(bytes);
        return self;
      },
      digest: () => hash.digest(),
    };
    return self;
  };
  const hash = (name: string, bytes: Uint8Array, encoding: 'buffer') => {
    counted.bytes += bytes.length;
    return actual.hash(name, bytes, encoding);
  };
  return { ...actual, createHash, hash };
});

async function hashedBy(work: () => Promise<unknown>): Promise<number> {
  counted.bytes = 0;
  await work();
  return counted.bytes;
}

/** Bytes hashed for the root of an input of `total` bytes that comes in pieces of `piece`. */
const rootOf = (total: number, piece: number): Promise<number> =>
  hashedBy(async () => {
    const root = new GrowingRoot(HERE);
    for (let at = 0; at < total; at += piece) await root.update(new Uint8Array(Math.min(piece, total - at)));
    await root.digest();
  });

it('hashes each byte of an input once, with a few more for each block, however it comes', async () => {
  const blocks = 3;
  const total = blocks * INPUT_BLOCK_BYTES;
  const [whole, inPieces] = [await rootOf(total, INPUT_BLOCK_BYTES), await rootOf(total, 100_000)];
  expect(inPieces).toBe(whole);
  const one = await rootOf(INPUT_BLOCK_BYTES, INPUT_BLOCK_BYTES);
  // What a block costs beside its bytes is the same for each: its place, and its leaf in the root.
  const beside = (await rootOf(2 * INPUT_BLOCK_BYTES, INPUT_BLOCK_BYTES)) - one - INPUT_BLOCK_BYTES;
  expect(whole).toBe(one + (blocks - 1) * (INPUT_BLOCK_BYTES + beside));
  expect(beside).toBeLessThan(200);
});

it('hashes each byte of a sum once', async () => {
  const bytes = new Uint8Array(100_000);
  const empty = await hashedBy(() => Promise.resolve(sumHasher('sum').digest()));
  const full = await hashedBy(() => Promise.resolve(sumHasher('sum').update(bytes).digest()));
  expect(full - empty).toBe(bytes.length);
});
