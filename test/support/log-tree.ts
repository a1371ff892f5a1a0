// A tree in memory, built by appending to a compact range: what a store of nodes would hold.

import { type Hash } from '../../src/base/index.js';
import { CompactRange, consistencyProof, leafHash, type NodeReader } from '../../src/transcript/index.js';

export interface LogTree {
  readonly entries: readonly Uint8Array[];
  /** Of the first k entries, at index k. */
  readonly ranges: readonly CompactRange[];
  /** Throws for a node that is not there. */
  readonly read: NodeReader;
}

export function growTree(entries: readonly Uint8Array[]): LogTree {
  const nodes = new Map<string, Hash>();
  const ranges = [CompactRange.EMPTY];
  for (const entry of entries) {
    const { range, completed } = ranges.at(-1)!.append(leafHash(entry));
    for (const { level, index, hash } of completed) nodes.set(`${level}/${index}`, hash);
    ranges.push(range);
  }
  const read: NodeReader = (level, index) => {
    const hash = nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`no node ${level}/${index}`);
    return hash;
  };
  return { entries, ranges, read };
}

/** That these entries begin with the first `from` of them. */
export function proofOver(entries: readonly Uint8Array[], from: number): Hash[] {
  return consistencyProof(from, entries.length, growTree(entries).read);
}
