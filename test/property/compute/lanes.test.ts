// Whatever length, modulus and range: what threads compute are the bytes that one thread computes.

import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import {
  allOf,
  Computer,
  GrowingRoot,
  HERE,
  inOrder,
  inPieces,
  lender,
  ringOf,
  type Lane,
} from '../../../src/compute/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { applyMasks, fingerprintRange, InputRoot, INPUT_BLOCK_BYTES, openPiece } from '../../../src/protocol/index.js';
import { packedBytes, packSums, packWords, sumWidth, wideSums } from '../../../src/vector/index.js';
import { fingerprintsOf } from '../../support/memory/vectors.js';

const computer = new Computer({ threads: 2, pooledFrom: 0 });
afterAll(() => computer.close());

const t3 = hash(LABELS.inputKey, Uint8Array.of(3));
const keyOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const masks = () => ({ add: [1, 2, 3, 4, 5].map(keyOf), subtract: [6, 7].map(keyOf) });

interface Case {
  readonly length: number;
  readonly bits: number;
  /** Coordinates of a range. */
  readonly range: number;
  readonly pooled: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  length: fc.integer({ min: 1, max: 3000 }),
  bits: fc.integer({ min: 16, max: 32 }),
  range: fc.integer({ min: 1, max: 100 }).map((eights) => 8 * eights),
  pooled: fc.boolean(),
});

function laneOf({ range, pooled }: Case): Lane {
  return { ...(pooled ? computer.laneFor(1) : HERE), range };
}

function wordsOf({ length, bits }: Case): Int32Array {
  const mask = bits === 32 ? -1 : 2 ** bits - 1;
  return Int32Array.from({ length }, (_, k) => Math.imul(k + 1, 2_654_435_761) & mask);
}

it('masks, packs and fingerprints in ranges as in one piece', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const lane = laneOf(one);
      const whole = wordsOf(one);
      applyMasks(whole, 0, masks(), one.bits);
      const bytes = packWords(whole, one.bits);

      const keys = ringOf(lane, masks());
      const [words, out] = [lender(lane, 4 * one.range), lender(lane, packedBytes(one.range, one.bits))];
      const plain = wordsOf(one);
      const starts = Array.from({ length: Math.ceil(one.length / one.range) }, (_, k) => k * one.range);
      const ranges = inOrder(lane, starts, async (start) => {
        const part = plain.subarray(start, start + one.range);
        const { buffer } = words();
        const room = new Int32Array(buffer, 0, part.length);
        room.set(part);
        const packed = out(packedBytes(part.length, one.bits));
        await lane.run('mask', { words: room, start, keys, bits: one.bits, out: packed });
        const unsigned = new Uint32Array(buffer, 0, part.length);
        return { packed, prints: await lane.run('fingerprint', { words: unsigned, start, t3 }) };
      });
      const found: Uint8Array[] = [];
      let total: [bigint, bigint] = [0n, 0n];
      for await (const { packed, prints } of ranges) {
        found.push(packed.slice());
        total = [total[0] + prints[0], total[1] + prints[1]];
      }
      expect(Buffer.concat(found).equals(bytes)).toBe(true);
      const prime = 2n ** 61n - 1n;
      const expected = fingerprintsOf(new Uint32Array(whole.buffer), { t3 } as never);
      expect(total.map((part) => part % prime)).toEqual(expected);
      expect(fingerprintRange(new Uint32Array(whole.buffer), 0, t3)).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

it('adds up, opens and examines sums in ranges as in one piece', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const lane = laneOf(one);
      const { length, bits, range } = one;
      const bytes = packWords(wordsOf(one), bits);
      const sums = { low: new Uint32Array(lane.room(4 * length).buffer), high: lane.room(length) };
      const expected = wideSums(length);
      for (let turn = 0; turn < 3; turn++) {
        const size = packedBytes(range, bits);
        let at = 0;
        const stream = (async function* () {
          // Cut where no range ends.
          yield* await Promise.resolve([bytes.subarray(0, 7), bytes.subarray(7)]);
        })();
        const lend = lender(lane, size);
        const added = inOrder(
          lane,
          inPieces(stream, () => lend()),
          (packed) => {
            const [start, end] = [at, Math.min(at + range, length)];
            at = end;
            const into = { low: sums.low.subarray(start, end), high: sums.high.subarray(start, end) };
            return lane.run('add', { packed, bits, into });
          },
        );
        await allOf(added);
        await HERE.run('add', { packed: bytes, bits, into: expected });
      }
      const width = sumWidth(bits);
      const packed = packSums(sums, 0, length, width);
      expect(Buffer.from(packed).equals(packSums(expected, 0, length, width))).toBe(true);

      const values = Float64Array.from(wordsOf(one), (word) => 3 * (word >>> 0));
      const opened = openPiece(values, 0, masks(), bits);
      const keys = ringOf(lane, masks());
      for (const job of ['open', 'examine'] as const) {
        const own = new Int32Array(lane.room(4 * length).buffer);
        for (let start = 0; start < length; start += range) {
          const count = Math.min(range, length - start);
          const from = packedBytes(start, width);
          const part = packed.subarray(from, from + packedBytes(count, width));
          const input = { sums: part, start, count, bits, keys, t3, opened: own.subarray(start, start + count) };
          const facts = await lane.run(job, input);
          if (job === 'examine')
            expect(facts).toMatchObject({ largest: Math.max(...values.subarray(start, start + count)) });
        }
        expect(own).toEqual(opened);
      }
    }),
    { numRuns: 20 },
  );
});

it('hashes bytes that come in pieces of any size to the root of all of them', async () => {
  for (const lane of [HERE, computer.laneFor(1)])
    for (const size of [1, INPUT_BLOCK_BYTES - 1, INPUT_BLOCK_BYTES, 2 * INPUT_BLOCK_BYTES + 5]) {
      const bytes = Buffer.alloc(size, 'what a silo sends');
      const root = new GrowingRoot(lane);
      for (let at = 0; at < size; at += 700_001) await root.update(bytes.subarray(at, at + 700_001));
      expect(root.total).toBe(size);
      expect(await root.digest()).toEqual(new InputRoot().update(bytes).digest());
    }
});
