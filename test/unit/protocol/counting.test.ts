// The counting rules of docs/protocol.md §1, for every n from 3 to 200.

import { describe, expect, it } from 'vitest';
import {
  cohortProblem,
  deadAfterAborts,
  defaultMalicious,
  thresholdFor,
  validCohortSizes,
} from '../../../src/protocol/index.js';

const ALL = Array.from({ length: 198 }, (_, k) => k + 3);
const allowed = (n: number, c: number, minHonest = 2): boolean =>
  cohortProblem(n, { c, minCohort: 3, minHonest }) === undefined;

/** Every n with every c that its rules allow, with no more honest inputs than the floor of 2. */
function* pairs(): Generator<{ n: number; t: number; c: number }> {
  for (const n of ALL) for (let c = 0; c <= n; c++) if (allowed(n, c)) yield { n, t: thresholdFor(n), c };
}

describe('the threshold rule', () => {
  const TABLE: [n: number, t: number, absent: number, c: number][] = [
    [3, 3, 0, 0],
    [4, 3, 1, 1],
    [5, 4, 1, 1],
    [7, 5, 2, 2],
    [10, 7, 3, 3],
    [20, 14, 6, 6],
    [50, 34, 16, 16],
    [100, 67, 33, 33],
    [200, 134, 66, 66],
  ];
  for (const [n, t, absent, c] of TABLE)
    it(`gives t = ${t}, ${absent} absent and at most c = ${c} for n = ${n}`, () => {
      expect(thresholdFor(n)).toBe(t);
      expect(n - thresholdFor(n)).toBe(absent);
      expect(allowed(n, c)).toBe(true);
      expect(allowed(n, c + 1)).toBe(false);
    });

  it('is floor(2n/3) + 1 in whole numbers', () => {
    for (const n of ALL) {
      const t = thresholdFor(n);
      expect(3 * (t - 1) <= 2 * n && 3 * t > 2 * n).toBe(true);
    }
  });

  it('lets two certificates of t share a signer that is honest, whichever c are malicious', () => {
    // Two sets of t out of n share at least 2t - n; more than c of them means an honest one.
    for (const { n, t, c } of pairs()) expect(2 * t - n).toBeGreaterThan(c);
  });

  it('holds by counting every pair of certificates where that can be counted', () => {
    for (const { n, t, c } of pairs()) {
      if (n > 9) continue;
      const sets = subsets(n, t);
      for (const a of sets) for (const b of sets) expect(bits(a & b)).toBeGreaterThan(c);
    }
  });

  it('opens no second aggregate: honest ones release in one attempt, and c cannot make up for the rest', () => {
    for (const { n, t, c } of pairs()) {
      const honest = n - c;
      // Most favourable split of the honest ones over two attempts.
      for (let first = 0; first <= honest; first++) expect(first + c >= t && honest - first + c >= t).toBe(false);
    }
  });

  it('gives nobody both kinds of shares of one silo: t and t would need an honest silo to send both', () => {
    for (const { n, t, c } of pairs()) expect(t - c + (t - c)).toBeGreaterThan(n - c);
  });

  it('leaves an attempt dead after n - t + c + 1 Aborts, even when c of them release as well', () => {
    for (const { n, t, c } of pairs()) {
      const aborts = deadAfterAborts(n, c);
      // At least aborts - c honest silos will never release in it; the others and all the malicious ones might.
      const honestGone = aborts - c;
      expect(n - honestGone).toBeLessThan(t);
      // One Abort less would prove nothing.
      expect(n - (honestGone - 1)).toBeGreaterThanOrEqual(t);
    }
  });

  it('lets a round end when n - t are absent, and leaves at least t - c honest inputs in the sum', () => {
    for (const { n, t, c } of pairs()) {
      expect(c).toBeLessThanOrEqual(n - t);
      expect(t - c).toBeGreaterThanOrEqual(2);
    }
  });

  it('refuses sizes outside 3 to 200, and fewer than two honest inputs', () => {
    expect(allowed(2, 0)).toBe(false);
    expect(allowed(201, 0)).toBe(false);
    for (const minHonest of [0, 1]) expect(allowed(10, 1, minHonest)).toBe(false);
  });

  it('lists exactly the sizes that are allowed', () => {
    for (const bounds of [
      { c: 1, minCohort: 3, minHonest: 2 },
      { c: 3, minCohort: 5, minHonest: 4 },
    ])
      expect(validCohortSizes(40, bounds)).toEqual(
        Array.from({ length: 41 }, (_, n) => n).filter((n) => cohortProblem(n, bounds) === undefined),
      );
  });

  it('has a default c of ceil(n/3) - 1, which is allowed for the whole job wherever two honest inputs are left', () => {
    for (const n of ALL) {
      expect(defaultMalicious(n)).toBe(Math.max(0, Math.ceil(n / 3) - 1));
      expect(allowed(n, defaultMalicious(n))).toBe(thresholdFor(n) - defaultMalicious(n) >= 2);
    }
  });
});

function subsets(n: number, size: number): number[] {
  return Array.from({ length: 2 ** n }, (_, set) => set).filter((set) => bits(set) === size);
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
