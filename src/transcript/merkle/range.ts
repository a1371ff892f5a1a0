// The right edge of a growing tree: the roots of its perfect subtrees, one for each bit of its size that is set. All that appending
// needs. Immutable, so that a commit that fails leaves no half-grown tree behind.

import { asHash, concat, defined, fromU64be, HASH_BYTES, u64be, type Hash } from '../../base/index.js';
import { TranscriptError } from '../errors.js';
import { emptyRoot, nodeHash } from './hash.js';

/** The root of a perfect subtree: it covers the entries from `index · 2^level` to, not including, `(index + 1) · 2^level`. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

const SIZE_BYTES = 8;

export class CompactRange {
  static readonly EMPTY = new CompactRange(0, []);

  readonly size: number;
  /** Largest subtree, which is the leftmost, first. */
  readonly #edge: readonly Hash[];

  private constructor(size: number, edge: readonly Hash[]) {
    this.size = size;
    this.#edge = edge;
  }

  /** The tree with one leaf more, and the nodes that the leaf completed: itself first, then its perfect ancestors upwards. */
  append(leaf: Hash): { readonly range: CompactRange; readonly completed: readonly TreeNode[] } {
    const edge = [...this.#edge];
    let node: TreeNode = { level: 0, index: this.size, hash: leaf };
    const completed = [node];
    while (node.index % 2 === 1) {
      const left = defined(edge.pop(), 'the perfect subtree to the left');
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left, node.hash) };
      completed.push(node);
    }
    return { range: new CompactRange(this.size + 1, [...edge, node.hash]), completed };
  }

  /** Root of the whole tree. */
  root(): Hash {
    return this.#edge.length === 0 ? emptyRoot() : this.#edge.reduceRight((right, left) => nodeHash(left, right));
  }

  /** `u64be(size) || hashes`, largest subtree first. */
  encode(): Uint8Array<ArrayBuffer> {
    return concat(u64be(this.size), ...this.#edge);
  }

  /** What `encode` wrote. Throws transcript/bad-range on anything else. */
  static decode(bytes: Uint8Array): CompactRange {
    const size = fromU64be(bytes.subarray(0, SIZE_BYTES));
    if (size === undefined || bytes.length !== SIZE_BYTES + HASH_BYTES * bitsSet(size))
      throw new TranscriptError(
        'transcript/bad-range',
        `${String(bytes.length)} bytes are not the edge of a tree${size === undefined ? '' : ` of size ${String(size)}`}.`,
      );
    const edge: Hash[] = [];
    for (let at = SIZE_BYTES; at < bytes.length; at += HASH_BYTES)
      edge.push(defined(asHash(Uint8Array.from(bytes.subarray(at, at + HASH_BYTES))), 'a hash of the edge'));
    return new CompactRange(size, edge);
  }
}

/** Of a safe integer: `>>>` would lose what is above 32 bits. */
function bitsSet(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
