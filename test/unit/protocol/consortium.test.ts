// The whole protocol in memory: every message through its encoding, real keys, real masks.

import { describe, expect, it } from 'vitest';
import { BASE } from '../../support/memory/founding.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

/** Which silos a sum holds, read off its digits; throws when a digit is neither 0 nor 1. */
function membersOf(sum: Int32Array, n: number): number[] {
  return Array.from({ length: n }, (_, i) => i).filter((i) => {
    const digit = Math.floor(sum[Math.floor(i / 10)]! / BASE ** (i % 10)) % BASE;
    if (digit > 1) throw new Error(`silo ${i} is in the sum ${digit} times`);
    return digit === 1;
  });
}

describe('a consortium without faults', () => {
  for (const n of [3, 4, 5, 7, 10, 13]) {
    it(`opens the exact sum of ${n} silos in every round, and every silo computes the same model`, () => {
      const consortium = new MemoryConsortium(n, { manifest: { maxMalicious: n === 3 ? 0 : 1 } });
      consortium.run();
      expect(consortium.job.status).toBe('completed');
      expect(consortium.job.closed).toHaveLength(3);
      for (const round of consortium.job.closed) {
        expect(membersOf(consortium.openedSums.get(round.plan.round)!, n)).toHaveLength(n);
        expect(round.acks.size).toBe(n);
        expect(round.disputes.size).toBe(0);
      }
      expect(consortium.rejections).toEqual([]);
      for (const silo of consortium.silos) {
        expect(silo.rejections).toEqual([]);
        expect([...silo.state.jobs.values()][0]!.modelHash).toEqual(consortium.job.modelHash);
      }
    });
  }
});
