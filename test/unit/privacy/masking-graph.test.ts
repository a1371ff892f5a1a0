// Degree and threshold of a regular masking graph: exact tails against a slow twin and against published figures, the conditions of
// docs/protocol.md §2.10 by counting, and attacks that work where one of them does not hold.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  collusionNeeded,
  CORRECTNESS_BITS,
  exposureBits,
  graphParameters,
  isSecret,
  releasesThatOpenNothing,
  upperTail,
  type GraphParameters,
} from '../../../src/privacy/index.js';

const threshold = (n: number): number => Math.floor((2 * n) / 3) + 1;

/** Cohorts of 20 to 200 with every c and a that the rules of §1 allow, thinned out evenly. */
function* cases(): Generator<{ n: number; c: number; a: number }> {
  for (let n = 20; n <= 200; n += n < 60 ? 1 : 7) {
    const most = n - threshold(n);
    for (let c = 0; c <= most; c += n < 40 ? 1 : 5) for (let a = 0; a <= most; a += n < 40 ? 1 : 3) yield { n, c, a };
  }
}

const found = [...cases()].flatMap(({ n, c, a }) => {
  const graph = graphParameters(n, c, a);
  return graph === undefined ? [] : [{ n, c, a, graph }];
});

/** P[X >= least] by walking through the draws one by one, in floating point. */
function slowTail(population: number, marked: number, drawn: number, least: number): number {
  let chances = [1];
  for (let k = 0; k < drawn; k++) {
    const next = new Array<number>(k + 2).fill(0);
    chances.forEach((chance, x) => {
      const hit = Math.max(0, marked - x) / (population - k);
      next[x]! += chance * (1 - hit);
      next[x + 1]! += chance * hit;
    });
    chances = next;
  }
  return chances.slice(Math.max(0, least)).reduce((sum, one) => sum + one, 0);
}

describe('the exact hypergeometric tail', () => {
  it('is that of a slow twin which draws one by one', () => {
    for (const [population, marked, drawn] of [
      [20, 6, 7],
      [100, 33, 43],
      [200, 20, 41],
      [200, 66, 143],
    ] as const)
      for (let least = 0; least <= Math.min(marked, drawn) + 1; least += 3) {
        const { favourable, all } = upperTail({ population, marked, drawn }, least);
        const exact = Number(favourable) / Number(all);
        const slow = slowTail(population, marked, drawn, least);
        expect(Math.abs(exact - slow)).toBeLessThanOrEqual(1e-9 * slow + 1e-300);
      }
  });

  it('is everything from 0 on, and nothing beyond what can be drawn', () => {
    const draw = { population: 50, marked: 10, drawn: 20 };
    expect(upperTail(draw, 0).favourable).toBe(upperTail(draw, 0).all);
    expect(upperTail(draw, -3).favourable).toBe(upperTail(draw, 0).all);
    expect(upperTail(draw, 11).favourable).toBe(0n);
  });
});

/** The search of the published analysis, with dropouts and colluders drawn before the graph, security 2^-40 and correctness 2^-20. */
function published(n: number, gamma: number, delta: number, semiMalicious: boolean): [number, number] | undefined {
  const part = (rate: number): number => Math.floor((rate + 1e-14) * n);
  const bad = part(gamma) + part(delta);
  const surviving = Math.ceil((1 - delta - 1e-14) * n);
  for (let k = 2; k < n - 1; k += 2) {
    // Both sides of the ring are cut by k / 2 in a row that are gone or collude.
    const cut = upperTail({ population: n, marked: bad, drawn: k }, k);
    if (BigInt(n) * BigInt(n - k - 1) * cut.favourable * 2n ** 41n >= 2n * cut.all) continue;
    const below = (marked: number, bits: number, least: number): boolean => {
      const { favourable, all } = upperTail({ population: n, marked, drawn: k }, least);
      return BigInt(n) * favourable * 2n ** BigInt(bits) < all;
    };
    let colluding = 0;
    while (!below(part(gamma), 41, colluding + 1)) colluding++;
    let left = k;
    // Fewer than `left` survive when more than k − left do not.
    while (left > 0 && !below(n - surviving, 20, k - left + 1)) left--;
    const lower = semiMalicious ? Math.ceil((colluding + k - 1.25) / 2) : colluding;
    if (left > lower) return [k, Math.max(lower + 1, 2)];
  }
  return undefined;
}

describe('the published analysis', () => {
  // Figures of the implementation by authors of the paper (federated-compute, fcp/secagg/server/graph_parameter_finder_test.cc).
  const FIGURES: [n: number, gamma: number, delta: number, semiMalicious: boolean, k: number, s: number][] = [
    [100, 0.3, 0.3, true, 92, 62],
    [100, 0.05, 0.33, true, 72, 39],
    [100, 0.33, 0.05, true, 42, 37],
    [1000, 0.33, 0.05, true, 132, 109],
    [100, 0.33, 0.33, false, 68, 34],
    [100, 0.05, 0.33, false, 28, 6],
    [1000, 0.05, 0.33, false, 72, 24],
    [1000, 0.33, 0.05, false, 78, 60],
  ];
  for (const [n, gamma, delta, semiMalicious, k, s] of FIGURES)
    it(`gives k = ${k} and s = ${s} for ${n} clients, γ = ${gamma}, δ = ${delta}, ${semiMalicious ? 'semi-malicious' : 'semi-honest'}`, () => {
      expect(published(n, gamma, delta, semiMalicious)).toEqual([k, s]);
    });

  it('asks for hardly fewer neighbours, in cohorts of our size, than conditions that hold for certain', () => {
    for (const [n, c, a, ours] of [
      [100, 5, 33, 72],
      [100, 33, 5, 44],
      [100, 5, 10, 26],
      [200, 10, 20, 46],
      [200, 5, 20, 40],
    ] as const) {
      expect(graphParameters(n, c, a)?.degree).toBe(ours);
      const [k] = published(n, c / n, a / n, true)!;
      expect(ours).toBeGreaterThanOrEqual(k);
      expect(ours - k).toBeLessThanOrEqual(8);
    }
  });

  it('has columns that do not hold against a coordinator that picks the absent by looking at the graph', () => {
    const [k] = published(100, 0.05, 0.33, false)!;
    // A silo with k neighbours stands alone when the coordinator has all of them absent, which it may.
    expect(k).toBeLessThanOrEqual(33);
    expect(isSecret(100, 5, { degree: k, shareThreshold: 6, absent: 33 })).toBe(false);
  });
});

describe('degree and threshold', () => {
  it('exist for most cohorts of 20 to 200, and leave the complete graph where they do not', () => {
    expect(found.length).toBeGreaterThan(1000);
    for (const [n, c, a] of [
      [5, 1, 1],
      [7, 2, 2],
      [10, 3, 3],
    ] as const)
      expect(graphParameters(n, c, a)).toBeUndefined();
    expect(
      found.filter(
        ({ n, graph: { degree, shareThreshold } }) =>
          degree % 2 !== 0 || degree >= n - 1 || shareThreshold > degree + 1,
      ),
    ).toEqual([]);
  });

  it('are those of the table in docs/protocol.md', () => {
    const table = [
      [24, 2, 3, 8, 6],
      [40, 3, 5, 14, 10],
      [50, 5, 10, 26, 17],
      [100, 5, 10, 26, 17],
      [100, 10, 15, 40, 26],
      [200, 5, 20, 40, 24],
      [200, 10, 20, 46, 29],
      [200, 10, 40, 78, 45],
    ] as const;
    const text = readFileSync('docs/protocol.md', 'utf8');
    for (const [n, c, a, degree, shareThreshold] of table) {
      expect(graphParameters(n, c, a)).toEqual({ degree, shareThreshold, absent: a });
      expect(text).toContain(
        `| ${n} | ${c} | ${a} | ${degree} of ${n - 1} | ${shareThreshold} | ${n - threshold(n)} |`,
      );
    }
  });

  it('keep honest survivors connected, whoever is absent and whoever colludes: fewer are gone than a cut needs', () => {
    expect(found.filter(({ c, a, graph }) => a + c >= graph.degree)).toEqual([]);
  });

  it('let colluding holders open nothing by themselves, and no member be opened in both ways', () => {
    expect(found.filter(({ c, graph }) => graph.shareThreshold <= c)).toEqual([]);
    // Each of k + 1 − c honest holders gives one kind of share; c give both.
    expect(found.filter(({ c, graph }) => 2 * graph.shareThreshold <= graph.degree + 1 + c)).toEqual([]);
  });

  it('open no second aggregate: those who may release in an abandoned attempt are too few for all survivors', () => {
    expect(found.filter(({ n, c, a, graph }) => a + c > releasesThatOpenNothing(n, c, graph))).toEqual([]);
  });

  it('lack shares with a probability below 2^-30 when no more are absent than may be', () => {
    const most = 2 ** -CORRECTNESS_BITS * (1 + 1e-6);
    const lacking = ({ n, a, graph: { degree, shareThreshold } }: (typeof found)[number]): number =>
      n * slowTail(n, a, degree + 1, degree + 2 - shareThreshold);
    expect(found.filter((_, k) => k % 7 === 0).filter((one) => lacking(one) > most)).toEqual([]);
  });

  it('are the smallest: two neighbours fewer break a condition', () => {
    for (const { n, c, a, graph } of found.filter((_, k) => k % 41 === 0)) {
      const degree = graph.degree - 2;
      if (degree < 2) continue;
      const works = Array.from({ length: degree + 1 }, (_, k) => k + 1).some((shareThreshold) => {
        const smaller: GraphParameters = { degree, shareThreshold, absent: a };
        if (!isSecret(n, c, smaller)) return false;
        return n * slowTail(n, a, degree + 1, degree + 2 - shareThreshold) <= 2 ** -CORRECTNESS_BITS;
      });
      expect(works).toBe(false);
    }
  });

  it('exist in every larger cohort once they exist in one, so that the smallest cohort decides', () => {
    for (const [c, a] of [
      [0, 0],
      [1, 2],
      [2, 3],
      [3, 5],
      [5, 10],
      [10, 20],
      [5, 33],
      [20, 40],
    ] as const) {
      const sizes = Array.from({ length: 197 }, (_, k) => k + 4);
      const exists = sizes.map((n) => a <= n - threshold(n) && graphParameters(n, c, a) !== undefined);
      expect(exists.lastIndexOf(false)).toBe(exists.indexOf(true) - 1);
    }
  });
});

describe('releases in an attempt that is given up', () => {
  /** Honest survivors with s shares each, when these of the ring release. */
  function opened(n: number, { degree, shareThreshold }: GraphParameters, releasing: ReadonlySet<number>): number {
    const around = Array.from({ length: degree + 1 }, (_, k) => k - degree / 2);
    return Array.from({ length: n }, (_, i) => i).filter(
      (i) => around.filter((step) => releasing.has((i + step + n) % n)).length >= shareThreshold,
    ).length;
  }

  it('open no survivor set as long as they are no more than was counted, however they stand on the ring', () => {
    for (const [n, c, a] of [
      [24, 1, 3],
      [40, 3, 5],
      [100, 5, 20],
    ] as const) {
      const graph = graphParameters(n, c, a)!;
      const most = releasesThatOpenNothing(n, c, graph);
      // All in a row, evenly spread, and in two rows.
      for (const place of [
        (k: number) => k,
        (k: number) => Math.floor((k * n) / most),
        (k: number) => (k % 2 === 0 ? k / 2 : Math.floor(n / 2) + (k - 1) / 2),
      ]) {
        const releasing = new Set(Array.from({ length: most }, (_, k) => place(k)));
        expect(opened(n, graph, releasing)).toBeLessThan(n - a - c);
      }
      // The count is not idle: when all release, everybody is opened.
      expect(opened(n, graph, new Set(Array.from({ length: n }, (_, k) => k)))).toBe(n);
    }
  });
});

describe('more colluding silos than assumed', () => {
  it('expose nobody for certain while fewer than a neighbourhood needs, and with a stated chance from there on', () => {
    const graph = graphParameters(200, 5, 20)!;
    const needed = collusionNeeded(graph);
    expect(needed).toBe(Math.min(graph.shareThreshold, graph.degree - 20));
    expect(exposureBits(200, graph, needed - 1)).toBe(Infinity);
    const chances = [needed, 40, 66].map((colluders) => exposureBits(200, graph, colluders));
    expect(chances[0]).toBeGreaterThan(chances[1]!);
    expect(chances[1]).toBeGreaterThan(chances[2]!);
    for (const [k, colluders] of [needed, 40, 66].entries())
      expect(chances[k]).toBeCloseTo(Math.max(0, -Math.log2(200 * slowTail(199, colluders, graph.degree, needed))), 6);
  });
});
