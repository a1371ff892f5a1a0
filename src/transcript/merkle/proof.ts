// Roots and proofs of RFC 6962 §2.1, made from stored nodes: O(log² n) reads at most, never the whole tree.

import type { Hash } from '../../base/index.js';
import { TranscriptError } from '../errors.js';
import { emptyRoot, nodeHash } from './hash.js';

/** The hash of a perfect subtree, as in `TreeNode`. Asked only for nodes that are complete in the tree at hand. */
export type NodeReader = (level: number, index: number) => Hash;

/** Root of the tree of the first `size` entries. */
export function rootOf(size: number, read: NodeReader): Hash {
  requireSize(size);
  return size === 0 ? emptyRoot() : subtree(0, size, read);
}

/** PATH(index, D[size]), RFC 6962 §2.1.1: siblings from the leaf upwards. Empty for the only entry. */
export function inclusionProof(index: number, size: number, read: NodeReader): Hash[] {
  requireSize(size);
  if (!Number.isInteger(index) || index < 0 || index >= size)
    throw outOfRange(`a tree of ${String(size)} entries has none with index ${String(index)}.`);
  const path: Hash[] = [];
  for (let low = 0, high = size; high - low > 1; ) {
    const middle = low + split(high - low);
    if (index < middle) {
      path.push(subtree(middle, high, read));
      high = middle;
    } else {
      path.push(subtree(low, middle, read));
      low = middle;
    }
  }
  return path.reverse();
}

/** PROOF(from, D[to]), RFC 6962 §2.1.2. Empty when `from` is 0 or `to`: every tree extends the empty one, and itself. */
export function consistencyProof(from: number, to: number, read: NodeReader): Hash[] {
  requireSize(to);
  if (!Number.isInteger(from) || from < 0 || from > to)
    throw outOfRange(`a tree of ${String(to)} entries extends none of ${String(from)}.`);
  if (from === 0) return [];
  const proof: Hash[] = [];
  let low = 0;
  let high = to;
  while (high !== from) {
    const middle = low + split(high - low);
    if (from <= middle) {
      proof.push(subtree(middle, high, read));
      high = middle;
    } else {
      proof.push(subtree(low, middle, read));
      low = middle;
    }
  }
  // Whoever verifies has the old root, which is this subtree when it begins at 0.
  if (low > 0) proof.push(subtree(low, high, read));
  return proof.reverse();
}

/** MTH(D[low:high]); `low` is where a subtree of RFC 6962 begins, so its perfect parts are nodes of the tree. */
function subtree(low: number, high: number, read: NodeReader): Hash {
  const width = high - low;
  const left = split(width);
  if (width === 1 || left * 2 === width) return read(Math.log2(width), low / width);
  return nodeHash(subtree(low, low + left, read), subtree(low + left, high, read));
}

/** The largest power of two below `width`, or 1. */
function split(width: number): number {
  let left = 1;
  while (left * 2 < width) left *= 2;
  return left;
}

function requireSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw outOfRange(`${String(size)} is no size of a tree.`);
}

function outOfRange(message: string): TranscriptError {
  return new TranscriptError('transcript/out-of-range', message, { category: 'missing' });
}
