// The regular masking graph: how it follows from T1, rounds along it with silos lost in every phase, and what is given up rather than opened
// in part (docs/protocol.md §2.10).

import { beforeAll, describe, expect, it } from 'vitest';
import { asHash } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { graphParameters, releasesThatOpenNothing } from '../../../src/privacy/index.js';
import { applyMasks, deadAfterAborts, maskingGraph, ringPlaces, toBitmap } from '../../../src/protocol/index.js';
import {
  AttemptStart,
  ConsistencyRequest,
  decode,
  RoundPlan,
  ShareHeader,
  Unmask,
  type Directive,
  type PlanGraph,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { seedFrom } from '../../support/memory/founding.js';
import { allBut, byCoordinator, bySilo, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent } from '../../support/memory/refusals.js';
import { inSum, regularConsortium, regularPolicy } from '../../support/memory/regular.js';

type Told = NonNullable<Directive['body']>['$case'];

const t1Of = (k: number) => asHash(seedFrom(`T1 ${k}`))!;
const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('the graph of a transcript', () => {
  const n = 25;
  const parameters = graphParameters(n, 1, 3)!;
  const graphs = indices(40).map((k) => maskingGraph(t1Of(k), n, 17, parameters));

  it('gives every silo k neighbours, both ways, and its own shares to itself', () => {
    for (const graph of graphs)
      for (const i of indices(n)) {
        expect(indices(n).filter((j) => graph.adjacent(i, j))).toHaveLength(parameters.degree);
        expect(indices(n).filter((j) => graph.adjacent(i, j) !== graph.adjacent(j, i))).toEqual([]);
        expect([graph.adjacent(i, i), graph.holds(i, i)]).toEqual([false, true]);
        expect(indices(n).filter((j) => j !== i && graph.holds(i, j) !== graph.adjacent(i, j))).toEqual([]);
      }
  });

  it('stays connected without any k − 1 silos in a row, in two rows, or spread out; k of them cut one off', () => {
    for (const graph of graphs.slice(0, 5)) {
      const { degree } = parameters;
      for (let first = 0; first < n; first++) {
        const near = indices(n).filter((j) => graph.adjacent(first, j));
        expect(connected(graph, without(n, near.slice(1)))).toBe(true);
        expect(connected(graph, without(n, near))).toBe(false);
        expect(
          connected(
            graph,
            without(
              n,
              indices(degree - 1).map((k) => (first + 3 * k) % n),
            ),
          ),
        ).toBe(true);
      }
    }
  });

  it('puts any two silos beside each other as often as chance would, whatever their numbers', () => {
    const draws = 1500;
    const m = 13;
    const small = graphParameters(m, 0, 1)!;
    const beside = (place: (t: number) => (i: number, j: number) => boolean): number => {
      const expected = (draws * small.degree) / (m - 1);
      const counts = new Array<number>(m - 1).fill(0);
      for (let k = 0; k < draws; k++) {
        const adjacent = place(k);
        for (let j = 1; j < m; j++) if (adjacent(0, j)) counts[j - 1]!++;
      }
      return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    };
    // 11 degrees of freedom: above 31.3 with a chance of 0.001.
    expect(beside((k) => maskingGraph(t1Of(k), m, 9, small).adjacent)).toBeLessThan(31.3);
    // A graph that follows the order of the cohort is caught.
    const ordered = (i: number, j: number): boolean => Math.min(Math.abs(i - j), m - Math.abs(i - j)) <= 1;
    expect(beside(() => ordered)).toBeGreaterThan(1000);
  });

  it('is another one for another T1, and a ring on which everybody has one place', () => {
    for (const k of indices(10)) expect([...ringPlaces(t1Of(k), n)].sort((a, b) => a - b)).toEqual(indices(n));
    expect(ringPlaces(t1Of(1), n)).not.toEqual(ringPlaces(t1Of(2), n));
  });

  it('is everybody with everybody where the plan has none', () => {
    const complete = maskingGraph(t1Of(1), n, 17, undefined);
    expect(complete.shareThreshold).toBe(17);
    expect(indices(n).every((i) => complete.holds(3, i) && complete.adjacent(3, i) === (i !== 3))).toBe(true);
  });

  it('knows nobody outside the cohort', () => {
    expect([graphs[0]!.holds(n, 0), graphs[0]!.holds(0, n), graphs[0]!.adjacent(n, n + 1)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('an attempt that is given up', () => {
  it('is dead after as many Aborts as leave too few to open it, and never after fewer than in the complete graph', () => {
    for (const [n, c, a] of [
      [16, 1, 2],
      [40, 3, 5],
      [100, 10, 15],
      [200, 5, 40],
      [200, 60, 2],
    ] as const) {
      const graph = graphParameters(n, c, a)!;
      const aborts = deadAfterAborts(n, c, graph);
      expect(aborts).toBeGreaterThanOrEqual(deadAfterAborts(n, c));
      // c of those who aborted may release all the same.
      const releasing = (count: number): number => n - count + c;
      expect(releasing(aborts)).toBeLessThanOrEqual(releasesThatOpenNothing(n, c, graph));
      if (aborts > deadAfterAborts(n, c))
        expect(releasing(aborts - 1)).toBeGreaterThan(releasesThatOpenNothing(n, c, graph));
    }
  });
});

describe('a round of 40 silos along the graph', () => {
  const n = 40;
  const lost: readonly (readonly [number, Told])[] = [
    [3, 'start'],
    [8, 'keys'],
    [15, 'shares'],
    [22, 'sharesClosed'],
    [31, 'unmask'],
  ];
  let consortium: MemoryConsortium;
  const parameters = graphParameters(n, 3, 5)!;

  beforeAll(() => {
    consortium = regularConsortium(n, { c: 3, absent: 5, rounds: 2 });
    const left = new Map(lost);
    consortium.hooks.deliver = (silo, { body }) => {
      if (left.get(silo.index) !== body?.$case) return true;
      left.delete(silo.index);
      silo.crash();
      return false;
    };
    consortium.run(1);
    for (const [i] of lost) consortium.silos[i]!.restart();
    consortium.run();
  });

  it('opens exactly the survivors when a silo is lost in every phase, and everybody catches up', () => {
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed.map(({ attempt }) => attempt)).toEqual([1, 1]);
    // Who was lost after masking is in the sum.
    expect(inSum(consortium, 1)).toEqual(allBut(n, 3, 8, 15, 22));
    expect(inSum(consortium, 2)).toEqual(allBut(n));
    for (const round of consortium.job.closed) expect([round.acks.size, round.disputes.size]).toEqual([n, 0]);
    for (const silo of consortium.silos) expect(jobOf(silo).modelHash).toEqual(consortium.job.modelHash);
  });

  it('has every silo deal to its neighbours and itself, and release for those alone', () => {
    for (const silo of consortium.silos) {
      const headers = silo.sent.filter(({ type }) => type === 'share-header');
      for (const { payload } of headers) {
        const { entries } = decode(ShareHeader, 'share-header', payload);
        expect(entries.length).toBeLessThanOrEqual(parameters.degree + 1);
        expect(entries.map(({ recipient }) => recipient)).toContain(silo.index);
      }
      for (const { payload } of silo.sent.filter(({ type }) => type === 'unmask')) {
        const { selfShares, keyShares } = decode(Unmask, 'unmask', payload);
        const released = [...selfShares, ...keyShares].map(({ dealer }) => dealer);
        expect(new Set(released).size).toBe(released.length);
        expect(released.length).toBeLessThanOrEqual(parameters.degree + 1);
      }
    }
  });
});

describe('an attempt that lacks silos', () => {
  const n = 13;
  const terms = { c: 1, absent: 2 };

  for (const [phase, kind] of [
    ['before they advertise', 'start'],
    ['before they deal', 'keys'],
    ['before they have checked what they were dealt', 'shares'],
    ['before they mask', 'sharesClosed'],
  ] as const)
    it(`is repeated when one silo more than may be is lost ${phase}, and opens nothing of itself`, () => {
      const consortium = regularConsortium(n, terms);
      const left = new Set([2, 5, 11]);
      consortium.hooks.deliver = (silo, { body }) => {
        if (body?.$case !== kind || !left.delete(silo.index)) return true;
        silo.crash();
        return false;
      };
      consortium.hooks.arrive = () => {
        // They come back once the attempt has failed.
        if (consortium.job.open?.attempt.phase === 'aborted')
          for (const silo of consortium.silos) if (!silo.up) silo.restart();
        return true;
      };
      consortium.run();
      for (const silo of consortium.silos) if (!silo.up) silo.restart();
      consortium.run();
      const [round] = consortium.job.closed;
      expect(round!.attempt).toBeGreaterThan(1);
      expect(round!.timeline.some(({ phase: one, attempt }) => one === 'unmask' && attempt === 1)).toBe(false);
    });

  it('is finished by the releases of those who come back, when too many of one neighbourhood are lost in P5', () => {
    const consortium = regularConsortium(n, { ...terms, rounds: 2 });
    const graph = graphParameters(n, 1, 2)!;
    let lost: readonly number[] = [];
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case !== 'unmask' || consortium.job.closed.length > 0) return true;
      // All but one too few of the holders of silo 0's shares, itself among them, miss the request.
      const { keys } = consortium.job.open!.attempt;
      const holders = indices(n).filter((i) => keys!.graph.holds(i, 0));
      lost = holders.slice(0, holders.length - graph.shareThreshold + 1);
      return !lost.includes(silo.index) || consortium.job.open!.attempt.finishing;
    };
    consortium.run(1);
    const [round] = consortium.job.closed;
    expect(lost.length).toBeGreaterThan(0);
    expect(round!.attempt).toBe(1);
    expect(round!.notes.join()).toMatch(/fewer than the \d+ needed of the neighbours of \d+ silos/);
    expect(inSum(consortium, 1)).toEqual(allBut(n));
  });

  it('ends in an abandoned round, not in a part of a sum, when a neighbourhood stays away', () => {
    const consortium = regularConsortium(n, terms);
    const graph = graphParameters(n, 1, 2)!;
    const gone = new Set<number>();
    consortium.hooks.deliver = (silo, { body }) => {
      if (gone.has(silo.index)) return false;
      if (body?.$case !== 'unmask') return true;
      const { keys } = consortium.job.open!.attempt;
      const holders = indices(n).filter((i) => keys!.graph.holds(i, 0));
      for (const i of holders.slice(0, holders.length - graph.shareThreshold + 1)) gone.add(i);
      if (!gone.has(silo.index)) return true;
      silo.crash();
      return false;
    };
    consortium.run(1);
    const [round] = consortium.job.closed;
    expect(round!.abandon).toBeDefined();
    expect(consortium.openedSums.size).toBe(0);
    // Who has released is in no later attempt: too few Aborts show the first one dead.
    const aborted = new Set([...round!.aborts.keys()]);
    expect(aborted.size).toBeLessThan(deadAfterAborts(n, 1, graph));
  });
});

describe('a silo or coordinator that does not keep to the graph', () => {
  const n = 16;
  const terms = { c: 1, absent: 2 };

  it('makes the sum wrong by masking with somebody else, and learns and opens nothing by it', () => {
    const consortium = regularConsortium(n, terms);
    const liar = consortium.silos[4]!;
    liar.masks = ({ add, subtract }) => ({ add: [...add, seedFrom('a mask with no neighbour')], subtract });
    consortium.run(1);
    // What the others take away follows from T1, so this mask stays in the sum: as if it had been the input, which may be anything.
    const clean = regularConsortium(n, terms);
    clean.run(1);
    expect(inSum(clean, 1)).toEqual(allBut(n));
    expect(consortium.openedSums.get(1)).not.toEqual(clean.openedSums.get(1));
    const difference = consortium.openedSums.get(1)!.map((word, k) => word - clean.openedSums.get(1)![k]!);
    const mask = new Int32Array(difference.length);
    applyMasks(mask, 0, { add: [seedFrom('a mask with no neighbour')], subtract: [] }, 32);
    expect(difference).toEqual(mask);
  });

  const shares = (consortium: MemoryConsortium) => until(consortium, 'shares');

  it('is refused when it delivers shares of a silo that is no neighbour', () => {
    const consortium = regularConsortium(n, terms);
    const { silo, value } = shares(consortium);
    const { keys } = consortium.job.open!.attempt;
    const stranger = indices(n).find((i) => !keys!.graph.holds(silo.index, i))!;
    const [some] = value.ciphertexts;
    expect(value.ciphertexts.map(({ dealer }) => dealer)).toEqual(
      indices(n).filter((i) => keys!.graph.holds(silo.index, i)),
    );
    expect(
      refusedBySilo(silo, {
        $case: 'shares',
        value: { ...value, ciphertexts: [...value.ciphertexts, { ...some!, dealer: stranger }] },
      }),
    ).toBe('share/not-neighbour');
    expect(refusedBySilo(silo, { $case: 'shares', value: { ...value, ciphertexts: value.ciphertexts.slice(1) } })).toBe(
      'share/missing',
    );
  });

  it('is refused when its header deals to a silo that is no neighbour, or to one neighbour too few', () => {
    const consortium = regularConsortium(n, terms);
    const { silo, envelope, ciphertexts } = untilSent(consortium, 'share-header');
    const { keys } = consortium.job.open!.attempt;
    const stranger = indices(n).find((i) => !keys!.graph.holds(silo.index, i))!;
    for (const change of [
      ({ entries }: ShareHeader) => [...entries, { ...entries[0]!, recipient: stranger }],
      ({ entries }: ShareHeader) => entries.slice(1),
      ({ entries }: ShareHeader) => entries.map((one, k) => (k === 1 ? { ...one, recipient: stranger } : one)),
    ]) {
      const changed = bySilo(consortium.founded, silo.id, envelope, ShareHeader, (header) => ({
        entries: change(header).sort((a, b) => a.recipient - b.recipient),
      }));
      expect(refusedByCoordinator(consortium, silo.id, changed, ciphertexts)).toBe('share/entries');
    }
  });

  it('is refused when it releases the share of a silo that is no neighbour, or not that of each neighbour', () => {
    const consortium = regularConsortium(n, terms);
    const { silo, envelope } = untilSent(consortium, 'unmask');
    const { keys } = consortium.job.open!.attempt;
    const stranger = indices(n).find((i) => !keys!.graph.holds(silo.index, i))!;
    for (const change of [
      ({ selfShares }: Unmask) => [...selfShares, { ...selfShares[0]!, dealer: stranger }],
      ({ selfShares }: Unmask) => selfShares.slice(1),
    ]) {
      const changed = bySilo(consortium.founded, silo.id, envelope, Unmask, (message) => ({
        selfShares: change(message).sort((a, b) => a.dealer - b.dealer),
      }));
      expect(refusedByCoordinator(consortium, silo.id, changed)).toBe('unmask/shares');
    }
  });

  it('is refused with a survivor set smaller than n − a, though t of them are there', () => {
    const consortium = regularConsortium(n, terms);
    const { silo, value } = until(consortium, 'confirm');
    const fewer = (count: number) =>
      byCoordinator(consortium.founded, value.request!, ConsistencyRequest, ({ headers }) => ({
        survivors: toBitmap(indices(count), n),
        headers: headers.slice(0, count),
      }));
    expect(refusedBySilo(silo, { $case: 'confirm', value: { request: fewer(13) } })).toBe('confirm/too-few');
  });

  it('is refused with fewer than n − a in U1 or U2, though t of them are there', () => {
    const consortium = regularConsortium(n, terms);
    const { silo, value } = until(consortium, 'keys');
    expect(refusedBySilo(silo, { $case: 'keys', value: { ...value, advertised: value.advertised.slice(0, 13) } })).toBe(
      'keys/too-few',
    );
    const later = until(regularConsortium(n, terms), 'sharesClosed');
    expect(
      refusedBySilo(later.silo, {
        $case: 'sharesClosed',
        value: { ...later.value, dealers: toBitmap(indices(13), n) },
      }),
    ).toBe('share/too-few');
  });
});

describe('what a silo and a consortium refuse of a graph', () => {
  const n = 16;
  const terms = { c: 1, absent: 2 };
  const right = graphParameters(n, 1, 2)!;
  const consortium = regularConsortium(n, terms);
  const { silo, value } = until(consortium, 'start');

  const started = (graph: PlanGraph | undefined): { $case: 'start'; value: typeof value } => {
    const plan = byCoordinator(consortium.founded, value.plan!, RoundPlan, () => ({ graph }));
    const attempt = byCoordinator(consortium.founded, value.attempt!, AttemptStart, () => ({
      rid: hash(LABELS.plan, plan.payload),
    }));
    return { $case: 'start', value: { ...value, plan, attempt } };
  };

  for (const [what, graph] of [
    ['none where the manifest has one', undefined],
    ['fewer neighbours', { ...right, degree: right.degree - 2 }],
    ['more neighbours', { ...right, degree: right.degree + 2 }],
    ['a lower threshold', { ...right, shareThreshold: right.shareThreshold - 1 }],
    ['more absent', { ...right, absent: right.absent + 1 }],
  ] as const)
    it(`refuses a plan with ${what}`, () => {
      expect(refusedBySilo(silo, started(graph))).toBe('plan/graph');
    });

  it('refuses a plan with more absent than n − t', () => {
    expect(refusedBySilo(silo, started({ ...right, absent: 6 }))).toBe('plan/invalid');
  });

  it('refuses a plan with a graph where the manifest has none', () => {
    const complete = new MemoryConsortium(5, { policy: regularPolicy });
    const first = until(complete, 'start');
    const plan = byCoordinator(complete.founded, first.value.plan!, RoundPlan, () => ({
      graph: { degree: 2, shareThreshold: 2, absent: 0 },
    }));
    const attempt = byCoordinator(complete.founded, first.value.attempt!, AttemptStart, () => ({
      rid: hash(LABELS.plan, plan.payload),
    }));
    expect(refusedBySilo(first.silo, { $case: 'start', value: { ...first.value, plan, attempt } })).toBe('plan/graph');
  });

  it('refuses a graph that is made for fewer colluding silos than its own policy assumes', () => {
    for (const [maxMalicious, code] of [
      [1, 'accepted'],
      [4, 'plan/graph-floor'],
    ] as const) {
      const stricter = regularConsortium(n, { ...terms, policy: { ...regularPolicy, maxMalicious } });
      const first = until(stricter, 'start');
      first.silo.handle({ sequence: 1n << 60n, body: { $case: 'start', value: first.value } });
      expect(first.silo.rejections.map(({ code: one }) => one)[0] ?? 'accepted').toBe(code);
    }
  });

  it('refuses a manifest whose graph is no smaller than the complete one, or has more absent than may be', () => {
    const refused = (size: number, c: number, absent: number): string => {
      try {
        regularConsortium(size, { c, absent });
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused(7, 2, 2)).toContain('manifest/graph');
    expect(refused(7, 2, 2)).toMatch(/every silo would need all others as neighbours: use the complete graph/);
    expect(refused(16, 1, 6)).toMatch(/manifest\/graph.*at most 5 of 16 silos may be absent/);
    expect(refused(16, 1, 2)).toBe('accepted');
  });

  it('a policy that says nothing demands the complete graph', () => {
    const { graph: _regular, ...silent } = regularPolicy;
    const consortium = regularConsortium(n, { ...terms, policy: silent });
    consortium.run();
    expect(consortium.job.closed[0]?.result).toBeUndefined();
    expect(consortium.silos[0]!.rejections.map(({ code }) => code)).toContain('plan/graph-complete');
  });
});

function without(n: number, gone: readonly number[]): number[] {
  return indices(n).filter((i) => !gone.includes(i));
}

function connected(graph: { adjacent(i: number, j: number): boolean }, left: readonly number[]): boolean {
  const seen = new Set(left.slice(0, 1));
  for (const i of seen) for (const j of left) if (graph.adjacent(i, j)) seen.add(j);
  return seen.size === left.length;
}
