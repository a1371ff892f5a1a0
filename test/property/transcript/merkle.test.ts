// Every tree of up to 300 entries against the recursive twin, every proof in it, and every small way to spoil one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, equalBytes, hex, u32be, utf8 } from '../../../src/base/index.js';
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  leafHash,
  nodesFromTiles,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/transcript/index.js';
import { growTree } from '../../support/log-tree.js';
import { MerkleTwin } from '../../support/merkle-twin.js';

const SIZES = 300;
const entries = Array.from({ length: SIZES }, (_, k) => concat(utf8('entry '), u32be(k)));
const leaves = entries.map(leafHash);
const twin = new MerkleTwin(entries);
const { ranges, read } = growTree(entries);
const same = (ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): boolean =>
  ours.length === theirs.length && ours.every((hash, k) => equalBytes(hash, theirs[k]!));

/** Every proof that differs in one hash: changed, left out, doubled, or a stranger put in anywhere. */
function* spoiled(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
  const stranger = leafHash(utf8('stranger'));
  for (let at = 0; at <= proof.length; at++) {
    yield [...proof.slice(0, at), stranger, ...proof.slice(at)];
    if (at === proof.length) break;
    const flipped = Uint8Array.from(proof[at]!);
    flipped[(at * 7) % 32]! ^= 1;
    yield proof.with(at, flipped);
    yield proof.with(at, proof[at]!.subarray(0, 31));
    yield proof.with(at, concat(proof[at]!, Uint8Array.of(0)));
    yield proof.toSpliced(at, 1);
    yield proof.toSpliced(at, 0, proof[at]!);
    if (at > 0) yield proof.with(at, proof[at - 1]!).with(at - 1, proof[at]!);
  }
}

describe('the tree', () => {
  it('has the roots of the twin at every size, by appending, from nodes and after being stored', () => {
    for (let size = 0; size <= SIZES; size++) {
      const root = hex(twin.root(0, size));
      expect(hex(ranges[size]!.root())).toBe(root);
      expect(hex(rootOf(size, read))).toBe(root);
      expect(hex(CompactRange.decode(ranges[size]!.encode()).root())).toBe(root);
    }
  });

  it('has the inclusion proof of the twin for every entry at every size, and each verifies', () => {
    for (let size = 1; size <= SIZES; size++) {
      const root = twin.root(0, size);
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, read);
        if (!same(proof, twin.path(index, 0, size)) || !verifyInclusion(leaves[index]!, index, size, proof, root))
          expect.fail(`entry ${index} of ${size}`);
      }
    }
  });

  it('has the consistency proof of the twin between all sizes, and each verifies', () => {
    for (let to = 0; to <= SIZES; to++)
      for (let from = 0; from <= to; from++) {
        const proof = consistencyProof(from, to, read);
        const expected = from === 0 ? [] : twin.proof(from, to);
        if (!same(proof, expected) || !verifyConsistency(from, to, proof, twin.root(0, from), twin.root(0, to)))
          expect.fail(`from ${from} to ${to}`);
      }
  });

  it('refuses every inclusion proof with a hash changed, cut, added, left out or moved, and every other entry', () => {
    let tried = 0;
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 256, 257, 300]) {
      const root = twin.root(0, size);
      for (let index = 0; index < size; index += size > 40 ? 13 : 1) {
        const proof = inclusionProof(index, size, read);
        for (const bad of spoiled(proof)) {
          tried++;
          if (verifyInclusion(leaves[index]!, index, size, bad, root)) expect.fail(`entry ${index} of ${size}`);
        }
        for (const other of [index - 1, index + 1, size, -1, 0.5, Number.NaN, 2 ** 53])
          expect(verifyInclusion(leaves[index]!, other, size, proof, root)).toBe(false);
        expect(verifyInclusion(leaves[(index + 1) % SIZES]!, index, size, proof, root)).toBe(false);
        expect(verifyInclusion(entries[index]!, index, size, proof, root)).toBe(false);
        expect(verifyInclusion(leaves[index]!, index, size, proof, leafHash(root))).toBe(false);
        expect(verifyInclusion(leaves[index]!, index, size, proof, root.subarray(0, 31))).toBe(false);
      }
    }
    expect(tried).toBeGreaterThan(5000);
  });

  it('refuses every consistency proof with a hash changed, cut, added, left out or moved, and every other root', () => {
    let tried = 0;
    for (const to of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 256, 257, 300])
      for (let from = 0; from <= to; from += to > 40 ? 11 : 1) {
        const proof = consistencyProof(from, to, read);
        const [older, newer] = [twin.root(0, from), twin.root(0, to)];
        for (const bad of spoiled(proof)) {
          tried++;
          if (verifyConsistency(from, to, bad, older, newer)) expect.fail(`from ${from} to ${to}`);
        }
        expect(verifyConsistency(from, to, proof, leafHash(older), newer)).toBe(false);
        if (from > 0) expect(verifyConsistency(from, to, proof, older, leafHash(newer))).toBe(false);
        expect(verifyConsistency(from, to, proof, older.subarray(0, 31), newer)).toBe(false);
        if (from < to) expect(verifyConsistency(to, from, proof, newer, older)).toBe(false);
      }
    expect(tried).toBeGreaterThan(3000);
  });

  it('refuses that a log extends a fork of itself', () => {
    const fork = new MerkleTwin(entries.with(20, utf8('another history')));
    for (const from of [21, 32, 33, 64, 100])
      expect(
        verifyConsistency(from, 200, consistencyProof(from, 200, read), fork.root(0, from), twin.root(0, 200)),
      ).toBe(false);
  });

  it('reads the same nodes out of tiles as were stored', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: SIZES }), fc.nat(), (size, seed) => {
        const nodes = nodesFromTiles(size, (tile) => {
          if (tile.kind !== 'hashes') throw new Error('only hashes are nodes');
          return concat(...Array.from({ length: tile.width }, (_, k) => read(tile.level * 8, tile.index * 256 + k)));
        });
        const index = seed % size;
        expect(hex(rootOf(size, nodes))).toBe(hex(twin.root(0, size)));
        expect(same(inclusionProof(index, size, nodes), twin.path(index, 0, size))).toBe(true);
        expect(same(consistencyProof(index, size, nodes), index === 0 ? [] : twin.proof(index, size))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
