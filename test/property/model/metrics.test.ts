// The area under the curve from histograms, against the definition by pairs.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aucFromHistograms, concordance, scoreBin } from '../../../src/model/index.js';

/** The slow twin: the share of pairs in which the positive scores higher, ties half. */
function aucByPairs(positives: readonly number[], negatives: readonly number[]): number {
  let won = 0;
  for (const p of positives) for (const n of negatives) won += p > n ? 1 : p === n ? 0.5 : 0;
  return won / (positives.length * negatives.length);
}

function histogram(scores: readonly number[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const score of scores) counts[scoreBin(score, bins)]!++;
  return counts;
}

const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('the area under the curve from histograms', () => {
  it('differs from the exact one by at most the stated bound', () => {
    fc.assert(
      fc.property(scores, scores, fc.integer({ min: 1, max: 50 }), (positives, negatives, bins) => {
        const result = aucFromHistograms(histogram(positives, bins), histogram(negatives, bins));
        const exact = aucByPairs(positives, negatives);
        expect(Math.abs(result!.auc - exact)).toBeLessThanOrEqual(result!.errorBound + 1e-12);
      }),
    );
  });

  it('turns to its complement when the classes change places', () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const [p, n] = [histogram(positives, 16), histogram(negatives, 16)];
        expect(aucFromHistograms(p, n)!.auc + aucFromHistograms(n, p)!.auc).toBeCloseTo(1, 12);
      }),
    );
  });

  it('puts every score into a bin that holds it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (score, bins) => {
        const bin = scoreBin(score, bins);
        expect(bin).toBeGreaterThanOrEqual(0);
        expect(bin).toBeLessThan(bins);
        expect(Math.abs((bin + 0.5) / bins - score)).toBeLessThanOrEqual(0.5 / bins + 1e-12);
      }),
    );
  });
});

interface Patient {
  readonly time: number;
  readonly seen: boolean;
  readonly score: number;
}

/** The slow twin: Harrell's C over all ordered pairs; undefined where none is comparable. */
function concordanceByPairs(patients: readonly Patient[]): number | undefined {
  let [won, pairs] = [0, 0];
  for (const one of patients)
    for (const other of patients) {
      const longer = other.time > one.time || (other.time === one.time && !other.seen);
      if (one === other || !one.seen || !longer) continue;
      pairs++;
      won += one.score > other.score ? 1 : one.score === other.score ? 0.5 : 0;
    }
  return pairs === 0 ? undefined : won / pairs;
}

function tables(patients: readonly Patient[], bins: number): [number[], number[]] {
  const [events, censored] = [new Array<number>(bins * bins).fill(0), new Array<number>(bins * bins).fill(0)];
  for (const { time, seen, score } of patients)
    (seen ? events : censored)[scoreBin(time, bins) * bins + scoreBin(score, bins)]!++;
  return [events, censored];
}

// Few different values, so that times and scores are often equal.
const part = fc.oneof(
  fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const patients = fc.array(fc.record({ time: part, seen: fc.boolean(), score: part }), { minLength: 2, maxLength: 25 });

describe('the C-index from tables of times and scores', () => {
  it('differs from the exact one by at most the stated bound', () => {
    let compared = 0;
    fc.assert(
      fc.property(patients, fc.integer({ min: 1, max: 30 }), (all, bins) => {
        const result = concordance(...tables(all, bins), bins);
        if (result === undefined) return;
        compared++;
        // A pair in different bins of time is comparable, so there is an exact one.
        expect(Math.abs(result.value - concordanceByPairs(all)!)).toBeLessThanOrEqual(result.errorBound + 1e-12);
      }),
    );
    expect(compared).toBeGreaterThan(50);
  });

  it('is exact, with a bound of zero, where no two records share a bin', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { minLength: 2, maxLength: 20 }), (places) => {
        const all = places.map((place, i) => ({ time: (i + 0.5) / 40, seen: true, score: (place + 0.5) / 40 }));
        const result = concordance(...tables(all, 40), 40)!;
        expect(result.value).toBeCloseTo(concordanceByPairs(all)!, 12);
        expect(result.errorBound).toBeCloseTo(0, 12);
      }),
    );
  });

  it('refuses tables of another size and counts below zero', () => {
    const code = { code: 'model/bad-scores' };
    expect(() => concordance([1, 0, 0], [0, 0, 0, 0], 2)).toThrow(expect.objectContaining(code));
    expect(() => concordance([1, 0, 0, 0], [0, -1, 0, 0], 2)).toThrow(expect.objectContaining(code));
  });
});
