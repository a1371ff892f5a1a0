// The whole protocol in memory: every message through its encoding, real keys, real masks.

import { describe, expect, it } from 'vitest';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, openedIn } from '../../support/memory/readings.js';

describe('a consortium without faults', () => {
  for (const n of [3, 4, 5, 7, 10, 13]) {
    it(`opens the exact sum of ${n} silos in every round, and every silo computes the same model`, () => {
      const consortium = new MemoryConsortium(n, { manifest: { maxMalicious: n === 3 ? 0 : 1 } });
      consortium.run();
      expect(consortium.job.status).toBe('completed');
      expect(consortium.job.closed).toHaveLength(3);
      for (const round of consortium.job.closed) {
        expect(openedIn(consortium, round.plan.round)).toEqual(allBut(n));
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
