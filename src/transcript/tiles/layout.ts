// Which files a log of a given size consists of (C2SP tlog-tiles): hash tiles of 256 nodes, one tile level for every eight levels of the
// tree, and bundles of 256 entries. Full ones never change; the last of each level may be partial and has its width in its name.

import { TranscriptError } from '../errors.js';

/** Hashes or entries in a full tile. */
export const TILE_WIDTH = 256;
/** Levels of the tree that one tile spans. */
export const TILE_LEVELS = 8;

export type Tile =
  | { readonly kind: 'hashes'; readonly level: number; readonly index: number; readonly width: number }
  | { readonly kind: 'entries'; readonly index: number; readonly width: number };

/** `tile/0/x001/234`, `tile/entries/000.p/17`. With forward slashes, relative to the folder of the log. */
export function tilePath(tile: Tile): string {
  const level = tile.kind === 'entries' ? 'entries' : String(tile.level);
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${String(tile.width)}`;
  return `tile/${level}/${indexPath(tile.index)}${partial}`;
}

const PATH = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])((?:\/x[0-9]{3}){0,4}\/[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** The tile that `tilePath` names so, or undefined: one tile has one path. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level = '', groups = '', partial] = PATH.exec(path) ?? [];
  const index = Number(groups.replaceAll(/[/x]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const tile: Tile =
    level === 'entries' ? { kind: 'entries', index, width } : { kind: 'hashes', level: Number(level), index, width };
  return width <= TILE_WIDTH && tilePath(tile) === path ? tile : undefined;
}

/** Groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. */
function indexPath(index: number): string {
  const groups = [threeDigits(index % 1000)];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${threeDigits(rest % 1000)}`);
  return groups.join('/');
}

const threeDigits = (value: number): string => String(value).padStart(3, '0');

/** All tiles of a log of `size` entries: bundles first, then hashes from the leaves upwards, each from left to right. */
export function tilesOf(size: number): Generator<Tile> {
  return tilesBetween(0, size);
}

/** Those that a log of `size` entries has and that of `from` entries did not have: what to write when it has grown. */
export function* tilesBetween(from: number, size: number): Generator<Tile> {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(from) || from < 0 || from > size)
    throw new TranscriptError(
      'transcript/out-of-range',
      `a log does not grow from ${String(from)} to ${String(size)}.`,
    );
  for (const { index, width } of grown(from, size)) yield { kind: 'entries', index, width };
  for (let level = 0, was = from, is = size; is > 0; level++) {
    for (const { index, width } of grown(was, is)) yield { kind: 'hashes', level, index, width };
    was = Math.floor(was / TILE_WIDTH);
    is = Math.floor(is / TILE_WIDTH);
  }
}

function* grown(was: number, is: number): Generator<{ index: number; width: number }> {
  if (was === is) return;
  for (let index = Math.floor(was / TILE_WIDTH); index * TILE_WIDTH < is; index++)
    yield { index, width: Math.min(TILE_WIDTH, is - index * TILE_WIDTH) };
}

/** The hash tile of this place in a log of `size` entries, or undefined when such a log has none there. */
export function hashTileAt(level: number, index: number, size: number): Tile | undefined {
  const width = widthAt(Math.floor(size / TILE_WIDTH ** level), index);
  return width === 0 ? undefined : { kind: 'hashes', level, index, width };
}

/** The entry bundle of this place in a log of `size` entries, or undefined when such a log has none there. */
export function bundleAt(index: number, size: number): Tile | undefined {
  const width = widthAt(size, index);
  return width === 0 ? undefined : { kind: 'entries', index, width };
}

function widthAt(count: number, index: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, count - index * TILE_WIDTH));
}
