// Nodes of the tree out of hash tiles: those at every eighth level are in a tile, the others are computed from at most 128 of its hashes.

import { defined, type Hash } from '../../base/index.js';
import { TranscriptError } from '../errors.js';
import { nodeHash } from '../merkle/hash.js';
import type { NodeReader } from '../merkle/proof.js';
import { hashesOf } from './content.js';
import { hashTileAt, TILE_LEVELS, TILE_WIDTH, type Tile } from './layout.js';

/**
 * Reads a log of `size` entries whose tiles `fetch` gives. Throws transcript/out-of-range for nodes that are not complete in it and
 * transcript/bad-tile for tiles of another length; that the hashes are the right ones is for the caller to check against a root.
 */
export function nodesFromTiles(size: number, fetch: (tile: Tile) => Uint8Array): NodeReader {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    // The node's first hash and how many, counted along the tile's level.
    const count = 2 ** (level % TILE_LEVELS);
    const first = index * count;
    const tile = hashTileAt(tileLevel, Math.floor(first / TILE_WIDTH), size);
    const offset = first % TILE_WIDTH;
    if (tile === undefined || offset + count > tile.width)
      throw new TranscriptError(
        'transcript/out-of-range',
        `a log of ${String(size)} entries has no node ${String(index)} at level ${String(level)}.`,
      );
    return perfectRoot(hashesOf(fetch(tile), tile.width, offset, count));
  };
}

/** Of a power of two of hashes. */
function perfectRoot(hashes: readonly Hash[]): Hash {
  let row = hashes;
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, k) =>
      nodeHash(defined(row[2 * k], 'left node'), defined(row[2 * k + 1], 'right node')),
    );
  return defined(row[0], 'root of a tile’s part');
}
