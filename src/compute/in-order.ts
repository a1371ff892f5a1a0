// Ranges through a lane: a few are under way at once, results come in the order of the ranges. Memory is lent round by round, so that a
// vector of any length needs only as many ranges of it as are under way.

import { invariant } from '../base/index.js';
import type { Lane } from './computer.js';

/**
 * Hands every item to `work` and gives the results in order, `window` of them under way. An item and its memory are free again when the
 * next result is asked for: the k-th item may use the memory of the (k − window)-th. Waits for what is under way before it ends or throws.
 */
export async function* inOrder<Item, Result>(
  { window }: Pick<Lane, 'window'>,
  items: AsyncIterable<Item> | Iterable<Item>,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const started = work(item);
      // Heard when its turn comes.
      started.catch(() => undefined);
      underWay.push(started);
      const first = underWay.length >= window ? underWay.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) yield await next;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** Resolves when the last result has come, for work that leaves its results in memory. */
export async function allOf(results: AsyncGenerator): Promise<void> {
  for (let next = await results.next(); next.done !== true; next = await results.next());
}

/** Memory for the ranges under way, lent in turns: the same again after `window` of them. At most `bytes`, which is what is lent unless less is asked for. */
export function lender(
  { window, room }: Pick<Lane, 'window' | 'room'>,
  bytes: number,
): (length?: number) => Uint8Array {
  const rooms: Uint8Array[] = [];
  let turn = 0;
  return (length = bytes) => {
    const k = turn++ % window;
    const lent = (rooms[k] ??= room(bytes));
    return lent.subarray(0, length);
  };
}

/**
 * Cuts a stream into pieces, each copied once into memory that is lent for it and as long as that, but for the last. An empty stream has no
 * pieces.
 */
export async function* inPieces(
  stream: AsyncIterable<Uint8Array>,
  lend: () => Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  let piece: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of stream)
    for (let at = 0; at < chunk.length; ) {
      piece ??= lend();
      invariant(piece.length > 0, 'there is room for all of the stream');
      const taken = Math.min(chunk.length - at, piece.length - filled);
      piece.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < piece.length) continue;
      yield piece;
      piece = undefined;
      filled = 0;
    }
  if (piece !== undefined) yield piece.subarray(0, filled);
}
