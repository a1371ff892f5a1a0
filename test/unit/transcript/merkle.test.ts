// Reference vectors of RFC 6962 trees (the eight entries that Certificate Transparency's implementations share), and the edges.

import { describe, expect, it } from 'vitest';
import { concat, fromHex, hex, u64be, type Hash } from '../../../src/base/index.js';
import {
  CompactRange,
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/transcript/index.js';
import { growTree } from '../../support/log-tree.js';

const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((text) => fromHex(text)!);
/** Of the first k + 1 entries. */
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const { ranges, read } = growTree(ENTRIES);
const bytes = (texts: readonly string[]): Hash[] => texts.map((text) => fromHex(text)! as Uint8Array as Hash);

describe('the reference tree', () => {
  it('has the known roots', () => {
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    for (const [k, root] of ROOTS.entries()) expect(hex(ranges[k + 1]!.root())).toBe(root);
  });

  it('has the known inclusion proofs', () => {
    const known: [number, number, string[]][] = [
      [0, 1, []],
      [
        0,
        8,
        [
          '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
          '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
          '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
        ],
      ],
      [
        5,
        8,
        [
          'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
          'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
          'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
        ],
      ],
      [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
      [
        1,
        5,
        [
          '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
          '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
          'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        ],
      ],
    ];
    for (const [index, size, proof] of known) {
      expect(inclusionProof(index, size, read).map(hex)).toStrictEqual(proof);
      const root = fromHex(ROOTS[size - 1]!)!;
      expect(verifyInclusion(leafHash(ENTRIES[index]!), index, size, bytes(proof), root)).toBe(true);
    }
  });

  it('has the known consistency proofs', () => {
    const known: [number, number, string[]][] = [
      [1, 1, []],
      [
        1,
        8,
        [
          '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
          '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
          '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
        ],
      ],
      [
        6,
        8,
        [
          '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
          'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
          'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
        ],
      ],
      [
        2,
        5,
        [
          '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
          'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        ],
      ],
    ];
    for (const [from, to, proof] of known) {
      expect(consistencyProof(from, to, read).map(hex)).toStrictEqual(proof);
      const [older, newer] = bytes([ROOTS[from - 1]!, ROOTS[to - 1]!]);
      expect(verifyConsistency(from, to, bytes(proof), older!, newer!)).toBe(true);
    }
  });
});

describe('the edges of a tree', () => {
  const [first, second] = bytes([ROOTS[0]!, ROOTS[1]!]);

  it('are size 0: extended by everything, with an empty proof and the empty root alone', () => {
    expect(consistencyProof(0, 8, read)).toStrictEqual([]);
    expect(verifyConsistency(0, 2, [], emptyRoot(), second!)).toBe(true);
    expect(verifyConsistency(0, 0, [], emptyRoot(), emptyRoot())).toBe(true);
    expect(verifyConsistency(0, 2, [], first!, second!)).toBe(false);
    expect(verifyConsistency(0, 0, [], first!, first!)).toBe(false);
    expect(verifyConsistency(0, 2, [first!], emptyRoot(), second!)).toBe(false);
    expect(verifyInclusion(first!, 0, 0, [], emptyRoot())).toBe(false);
  });

  it('are the same size: the roots must be equal and the proof empty', () => {
    expect(verifyConsistency(2, 2, [], second!, second!)).toBe(true);
    expect(verifyConsistency(2, 2, [], first!, second!)).toBe(false);
    expect(verifyConsistency(2, 2, [first!], second!, second!)).toBe(false);
  });

  it('are what a tree does not have, refused by name', () => {
    const refused = expect.objectContaining({ code: 'transcript/out-of-range' }) as unknown;
    for (const [index, size] of [
      [8, 8],
      [-1, 8],
      [0, 0],
      [0.5, 8],
      [Number.NaN, 8],
      [0, 2 ** 53],
    ] as const)
      expect(() => inclusionProof(index, size, read)).toThrow(refused);
    for (const [from, to] of [
      [9, 8],
      [-1, 8],
      [1.5, 8],
      [1, -1],
    ] as const)
      expect(() => consistencyProof(from, to, read)).toThrow(refused);
    expect(() => rootOf(-1, read)).toThrow(refused);
  });

  it('are sizes beyond 32 bits, counted exactly', () => {
    const node = leafHash(Uint8Array.of(1));
    const size = 2 ** 40 + 2 ** 35 + 1;
    const asked: [number, number][] = [];
    const proof = inclusionProof(2 ** 40 + 5, size, (level, index) => {
      asked.push([level, index]);
      return node;
    });
    // The 35 siblings below 2^35, the last entry beside them, and the 2^40 entries before.
    expect(proof.length).toBe(37);
    expect(asked.every(([level, index]) => Number.isInteger(level) && (index + 1) * 2 ** level <= size)).toBe(true);
    expect(asked).toContainEqual([40, 0]);
    expect(asked).toContainEqual([0, size - 1]);
  });

  it('are a stored edge of another length, refused by name', () => {
    const whole = ranges[7]!.encode();
    expect(CompactRange.decode(whole).size).toBe(7);
    for (const bad of [whole.subarray(1), concat(whole, Uint8Array.of(0)), whole.subarray(0, -32), new Uint8Array(0)])
      expect(() => CompactRange.decode(bad)).toThrow(
        expect.objectContaining({ code: 'transcript/bad-range' }) as Error,
      );
    const tooLarge = Uint8Array.from([0, 0x20, 0, 0, 0, 0, 0, 0]);
    expect(() => CompactRange.decode(concat(tooLarge, first!))).toThrow(
      expect.objectContaining({ code: 'transcript/bad-range' }) as Error,
    );
    expect(hex(CompactRange.decode(u64be(0)).root())).toBe(hex(emptyRoot()));
  });
});
