// Who masks with whom and who holds whose shares in one attempt (docs/protocol.md §2.10). Without a graph in the manifest everybody with
// everybody; otherwise along a ring on which T1 places the cohort, each silo with the k / 2 before and the k / 2 behind it. T1 is fixed when
// all keys of the attempt are signed, so nobody chooses neighbours; what trying out transcripts could gain is counted in params.ts.

import { compareBytes, u16be, type Hash } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import type { GraphParameters } from '../privacy/index.js';

export interface MaskingGraph {
  /** Shares that give a secret back. */
  readonly shareThreshold: number;
  /** True when the two share a mask; a silo shares none with itself. */
  readonly adjacent: (i: number, j: number) => boolean;
  /** True when `holder` is dealt shares of `dealer`'s secrets: its neighbours, and itself. */
  readonly holds: (holder: number, dealer: number) => boolean;
}

/** The graph of an attempt. `t`: threshold of the plan, which is that of shares in the complete graph. */
export function maskingGraph(t1: Hash, n: number, t: number, parameters: GraphParameters | undefined): MaskingGraph {
  if (parameters === undefined) return { shareThreshold: t, adjacent: (i, j) => i !== j, holds: () => true };
  const { degree, shareThreshold } = parameters;
  const places = ringPlaces(t1, n);
  const holds = (holder: number, dealer: number): boolean => {
    const [a, b] = [places[holder], places[dealer]];
    // Nobody outside the cohort has a place.
    if (a === undefined || b === undefined) return false;
    const apart = Math.abs(a - b);
    return Math.min(apart, n - apart) <= degree / 2;
  };
  return { shareThreshold, adjacent: (i, j) => i !== j && holds(i, j), holds };
}

/** Place on the ring of each index: the cohort in the order of H("graph", T1 || u16 index). */
export function ringPlaces(t1: Hash, n: number): number[] {
  const order = Array.from({ length: n }, (_, index) => ({ index, key: hash(LABELS.graph, t1, u16be(index)) }));
  order.sort((a, b) => compareBytes(a.key, b.key));
  const places = new Array<number>(n).fill(0);
  order.forEach(({ index }, place) => {
    places[index] = place;
  });
  return places;
}
