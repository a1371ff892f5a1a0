// The layout of C2SP tlog-tiles: which files, under which names, with which bytes.

import { describe, expect, it } from 'vitest';
import { concat, hex, LIMITS, u16be, utf8, type Hash } from '../../../src/base/index.js';
import {
  bundleAt,
  decodeBundle,
  decodeHashTile,
  encodeBundle,
  encodeHashTile,
  hashTileAt,
  leafHash,
  nodesFromTiles,
  parseTilePath,
  rootOf,
  tilePath,
  tilesBetween,
  tilesOf,
  type Tile,
} from '../../../src/transcript/index.js';
import { growTree } from '../../support/log-tree.js';

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;
const paths = (tiles: Iterable<Tile>): string[] => [...tiles].map(tilePath);

describe('paths', () => {
  it('are those of the specification', () => {
    expect(tilePath({ kind: 'hashes', level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ kind: 'hashes', level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
    expect(tilePath({ kind: 'entries', index: 273, width: 112 })).toBe('tile/entries/273.p/112');
    expect(tilePath({ kind: 'entries', index: 1000, width: 256 })).toBe('tile/entries/x001/000');
    expect(tilePath({ kind: 'hashes', level: 0, index: 999, width: 1 })).toBe('tile/0/999.p/1');
  });

  it('of a log of 70,000 entries are as many as the specification says', () => {
    const tiles = [...tilesOf(70_000)];
    const at = (level: number): Tile[] => tiles.filter((tile) => tile.kind === 'hashes' && tile.level === level);
    expect(at(0).filter(({ width }) => width === 256)).toHaveLength(273);
    expect(tilePath(at(0).at(-1)!)).toBe('tile/0/273.p/112');
    expect(paths(at(1))).toStrictEqual(['tile/1/000', 'tile/1/001.p/17']);
    expect(paths(at(2))).toStrictEqual(['tile/2/000.p/1']);
    expect(at(3)).toStrictEqual([]);
    expect(tiles.filter(({ kind }) => kind === 'entries')).toHaveLength(274);
  });

  it('of small logs are these', () => {
    expect(paths(tilesOf(0))).toStrictEqual([]);
    expect(paths(tilesOf(1))).toStrictEqual(['tile/entries/000.p/1', 'tile/0/000.p/1']);
    expect(paths(tilesOf(256))).toStrictEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']);
    expect(paths(tilesOf(257))).toStrictEqual([
      'tile/entries/000',
      'tile/entries/001.p/1',
      'tile/0/000',
      'tile/0/001.p/1',
      'tile/1/000.p/1',
    ]);
  });

  it('of a log that grows are those it did not have', () => {
    expect(paths(tilesBetween(5, 5))).toStrictEqual([]);
    expect(paths(tilesBetween(255, 256))).toStrictEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']);
    for (const [from, to] of [
      [0, 3],
      [3, 300],
      [256, 512],
      [511, 513],
      [65_535, 65_537],
      [65_536, 70_000],
    ] as const) {
      const before = new Set(paths(tilesOf(from)));
      expect(paths(tilesBetween(from, to))).toStrictEqual(paths(tilesOf(to)).filter((path) => !before.has(path)));
    }
    for (const [from, to] of [
      [2, 1],
      [-1, 1],
      [0, 0.5],
    ] as const)
      expect(() => [...tilesBetween(from, to)]).toThrow(refusal('transcript/out-of-range'));
  });

  it('are read back, and every other spelling of one is none', () => {
    for (const size of [1, 256, 300, 65_537, 70_000])
      for (const tile of tilesOf(size)) expect(parseTilePath(tilePath(tile))).toStrictEqual(tile);
    const far: Tile = { kind: 'hashes', level: 63, index: 1_234_067, width: 255 };
    expect(parseTilePath(tilePath(far))).toStrictEqual(far);
    for (const bad of [
      '',
      'checkpoint',
      'tile/0',
      'tile/0/1',
      'tile/0/0000',
      'tile/00/000',
      'tile/64/000',
      'tile/-1/000',
      'tile/data/000',
      'tile/0/x000/001',
      'tile/0/001/002',
      'tile/0/x001/x002',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000.p/256',
      'tile/0/000.p/',
      'tile/0/000.p',
      'tile/0/000/',
      '/tile/0/000',
      'tile/0/../000',
      'tile/0/000\n',
    ])
      expect(parseTilePath(bad), bad).toBeUndefined();
  });

  it('of places are those of the whole, and none elsewhere', () => {
    for (const size of [0, 1, 255, 256, 257, 65_536, 70_000]) {
      const all = new Set(paths(tilesOf(size)));
      let found = 0;
      for (let level = 0; level < 4; level++)
        for (let index = 0; index < 276; index++) {
          const tile = hashTileAt(level, index, size);
          if (tile !== undefined) found += all.has(tilePath(tile)) ? 1 : Number.NaN;
        }
      for (let index = 0; index < 276; index++) {
        const tile = bundleAt(index, size);
        if (tile !== undefined) found += all.has(tilePath(tile)) ? 1 : Number.NaN;
      }
      expect(found).toBe(all.size);
    }
  });
});

describe('an entry bundle', () => {
  const entries = [utf8('one'), new Uint8Array(0), new Uint8Array(LIMITS.logEntryBytes).fill(4)];

  it('is entries behind their lengths, and comes back', () => {
    expect(hex(encodeBundle(entries.slice(0, 2)))).toBe('00036f6e650000');
    expect(decodeBundle(encodeBundle(entries), 3)).toStrictEqual(entries);
    expect(decodeBundle(new Uint8Array(0), 0)).toStrictEqual([]);
  });

  it('is refused with an entry too few, too many, cut off, or bytes behind it', () => {
    const bytes = encodeBundle(entries);
    for (const [bad, width] of [
      [bytes, 2],
      [bytes, 4],
      [bytes.subarray(0, -1), 3],
      [bytes.subarray(0, 6), 2],
      [concat(bytes, Uint8Array.of(0)), 3],
      [u16be(1), 1],
    ] as const)
      expect(() => decodeBundle(bad, width)).toThrow(refusal('transcript/bad-tile'));
  });

  it('takes no entry that its length prefix cannot say', () => {
    expect(() => encodeBundle([new Uint8Array(LIMITS.logEntryBytes + 1)])).toThrow(
      refusal('transcript/entry-too-large'),
    );
  });
});

describe('hash tiles', () => {
  const size = 70_000;
  const tree = growTree(Array.from({ length: size }, (_, k) => u16be(k % 65_536)));
  const files = new Map<string, Uint8Array>();
  for (const tile of tilesOf(size))
    if (tile.kind === 'hashes') files.set(tilePath(tile), encodeHashTile(tile, tree.read));
  const nodes = nodesFromTiles(size, (tile) => files.get(tilePath(tile))!);

  it('hold leaf hashes at level 0 and roots of full tiles above', () => {
    expect(files.get('tile/0/000')).toHaveLength(8192);
    expect(hex(files.get('tile/0/273.p/112')!.subarray(-32))).toBe(hex(leafHash(u16be((size - 1) % 65_536))));
    expect(hex(files.get('tile/1/001.p/17')!.subarray(0, 32))).toBe(hex(tree.read(8, 256)));
    expect(hex(files.get('tile/2/000.p/1')!)).toBe(hex(tree.read(16, 0)));
  });

  it('give every node of the tree, and no other', () => {
    for (let level = 0; level <= 16; level++) {
      const last = Math.floor(size / 2 ** level) - 1;
      for (const index of [0, 1, Math.floor(last / 2), last - 1, last].filter((k) => k >= 0 && k <= last))
        expect(hex(nodes(level, index))).toBe(hex(tree.read(level, index)));
      expect(() => nodes(level, last + 1)).toThrow(refusal('transcript/out-of-range'));
    }
    expect(() => nodes(17, 0)).toThrow(refusal('transcript/out-of-range'));
    expect(hex(rootOf(size, nodes))).toBe(hex(tree.ranges[size]!.root()));
  });

  it('of another length are refused', () => {
    const short = nodesFromTiles(size, (tile) => files.get(tilePath(tile))!.subarray(32));
    expect(() => short(0, 3)).toThrow(refusal('transcript/bad-tile'));
    expect(() => decodeHashTile(new Uint8Array(33), 1)).toThrow(refusal('transcript/bad-tile'));
    const copies: Hash[] = decodeHashTile(files.get('tile/2/000.p/1')!, 1);
    expect(copies[0]!.buffer).not.toBe(files.get('tile/2/000.p/1')!.buffer);
  });
});
