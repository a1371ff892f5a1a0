// What a regular masking graph saves, exactly: shares, bytes and keystreams of a round grow with its degree and no more with the cohort.
// Times belong to the load test (npm run load -- --graph regular).

import { beforeAll, describe, expect, it } from 'vitest';
import { graphParameters } from '../../../src/privacy/index.js';
import { openingsOf, remainingMasks } from '../../../src/protocol/index.js';
import { decode, encode, ShareHeader, Unmask } from '../../../src/wire/index.js';
import type { MemoryConsortium } from '../../support/memory/consortium.js';
import { regularConsortium } from '../../support/memory/regular.js';

const C = 1;
const A = 2;
/** Silos whose input does not arrive. */
const DROPPED = [4, 9];

interface Costs {
  /** Shares that a silo deals of each secret, most and fewest. */
  readonly dealt: readonly number[];
  readonly headerBytes: number;
  readonly ciphertextBytes: number;
  /** Keystreams that a silo adds to its input. */
  readonly streams: readonly number[];
  readonly released: readonly number[];
  /** Keystreams that the coordinator and every verifier take out of the sum. */
  readonly removed: number;
}

const distinct = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

function costsOf(n: number, graph: boolean): Costs {
  const consortium: MemoryConsortium = regularConsortium(n, {
    c: C,
    absent: A,
    manifest: graph ? {} : { graph: undefined },
  });
  const streams: number[] = [];
  let ciphertextBytes = 0;
  let removed = 0;
  for (const silo of consortium.silos) {
    silo.masks = (keys) => {
      streams.push(keys.add.length + keys.subtract.length);
      return keys;
    };
  }
  consortium.hooks.arrive = ({ index }, { type }) => type !== 'masked-header' || !DROPPED.includes(index);
  consortium.hooks.deliver = (_, { body }) => {
    if (body?.$case === 'shares')
      ciphertextBytes = Math.max(
        ciphertextBytes,
        body.value.ciphertexts.reduce((sum, { ciphertext }) => sum + ciphertext.length, 0),
      );
    return true;
  };
  const removedIn = (): number => {
    const { keys, dealers, survivors, secrets } = consortium.job.open!.attempt;
    const maskKeys = new Map([...survivors!.members.keys()].map((i) => [i, keys!.members.get(i)!.maskKey]));
    const masks = remainingMasks(secrets!.self, secrets!.key, maskKeys, dealers!.t2, keys!.graph);
    expect(openingsOf(dealers!, survivors!).key).toEqual(DROPPED);
    return masks.add.length + masks.subtract.length;
  };
  // The secrets are there from the last release on, until the round is closed.
  consortium.hooks.crashAfter = () => {
    if (consortium.job.open?.attempt.secrets !== undefined) removed = removedIn();
    return false;
  };
  consortium.run();
  expect(consortium.job.closed[0]?.result).toBeDefined();
  const sent = (type: string) => consortium.silos.flatMap((silo) => silo.sent.filter((one) => one.type === type));
  const headers = sent('share-header').map(({ payload }) => decode(ShareHeader, 'header', payload));
  const releases = sent('unmask').map(({ payload }) => decode(Unmask, 'unmask', payload));
  return {
    dealt: distinct(headers.map(({ entries }) => entries.length)),
    headerBytes: Math.max(...headers.map((header) => encode(ShareHeader, header).length)),
    ciphertextBytes,
    streams: distinct(streams),
    released: distinct(releases.map(({ selfShares, keyShares }) => selfShares.length + keyShares.length)),
    removed,
  };
}

describe('a round along a regular graph', () => {
  const sizes = [16, 20];
  const { degree } = graphParameters(16, C, A)!;
  let along: Costs[];
  let complete: Costs;

  beforeAll(() => {
    along = sizes.map((n) => costsOf(n, true));
    complete = costsOf(16, false);
  });

  it('has shares for k neighbours and the silo itself, in 80 bytes each, whatever n is', () => {
    expect(sizes.map((n) => graphParameters(n, C, A)!.degree)).toEqual([degree, degree]);
    for (const { dealt, ciphertextBytes, released } of along) {
      expect(dealt).toEqual([degree + 1]);
      expect(released).toEqual([degree + 1]);
      expect(ciphertextBytes).toBe(80 * (degree + 1));
    }
    expect([complete.dealt, complete.released, complete.ciphertextBytes]).toEqual([[16], [16], 80 * 16]);
  });

  it('has share headers of 141 bytes a holder, so that they do not grow with n', () => {
    const [a, b] = along;
    expect(b!.headerBytes - a!.headerBytes).toBeLessThanOrEqual(1);
    expect(complete.headerBytes - a!.headerBytes).toBeGreaterThanOrEqual(141 * (16 - degree - 1) - 2);
  });

  it('has a silo add k + 1 keystreams to its input, where it was n', () => {
    for (const { streams } of along) expect(streams).toEqual([degree + 1]);
    expect(complete.streams).toEqual([16]);
  });

  it('has a self mask for each survivor and at most k masks for each silo that dropped out taken away', () => {
    along.forEach(({ removed }, k) => {
      const survivors = sizes[k]! - DROPPED.length;
      expect(removed).toBeGreaterThan(survivors);
      expect(removed).toBeLessThanOrEqual(survivors + DROPPED.length * degree);
    });
    expect(complete.removed).toBe(14 + DROPPED.length * 14);
  });
});
