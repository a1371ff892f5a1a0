// Verifying proofs (RFC 9162 §2.1.3.2 and §2.1.4.2). A proof has exactly the hashes that its sizes demand: one more, one fewer or one
// of another length makes it invalid, so a statement has one proof and one alone.

import { equalBytes, HASH_BYTES } from '../../base/index.js';
import { emptyRoot, nodeHash } from './hash.js';

/** True when `proof` shows that the tree of `size` entries with this `root` holds `leaf`, a leaf hash, at `index`. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leaf, root, ...proof].every(isHash)) return false;
  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = nodeHash(sibling, hash);
      // A node without a right sibling moves up as it is until it is a right child.
      while (!isOdd(at) && at > 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
}

/**
 * True when `proof` shows that the tree of `to` entries begins with the entries of the tree of `from`. Sizes 0 and equal sizes have an
 * empty proof: then the roots decide.
 */
export function verifyConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): boolean {
  if (!isSize(from) || !isSize(to) || from > to || ![fromRoot, toRoot, ...proof].every(isHash)) return false;
  if (from === to || from === 0) {
    const known = from === 0 ? equalBytes(fromRoot, emptyRoot()) : true;
    return proof.length === 0 && known && (from !== to || equalBytes(fromRoot, toRoot));
  }
  if (proof.length === 0) return false;
  let [at, last] = [from - 1, to - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  // A power of two is one perfect subtree, whose root is known and not repeated in the proof.
  const [start, ...rest] = at === 0 ? [fromRoot, ...proof] : proof;
  if (start === undefined) return false;
  let older = start;
  let newer = start;
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (!isOdd(at) && at > 0) [at, last] = [half(at), half(last)];
    } else {
      newer = nodeHash(newer, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(older, fromRoot) && equalBytes(newer, toRoot);
}

// Sizes are safe integers beyond 32 bits, where bit operators would cut them.
const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
const isHash = (bytes: Uint8Array): boolean => bytes.length === HASH_BYTES;
