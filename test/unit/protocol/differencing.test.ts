// The differencing guard (docs/protocol.md §3): sums whose difference to the last one isolates a silo, or tells what changed in records.

import { describe, expect, it } from 'vitest';
import { LIMITS, type SiloId } from '../../../src/base/index.js';
import { encodeSnapshot, initialSiloState, replaySilo, type SiloPolicy } from '../../../src/protocol/index.js';
import { isolatedBy } from '../../../src/protocol/silo/isolation.js';
import { decodeSnapshot } from '../../../src/protocol/silo/snapshot.js';
import { JobKind, type JobManifest } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy, seedFrom, siloNames } from '../../support/memory/founding.js';
import { allBut, openedIn } from '../../support/memory/readings.js';

const N = 5;
type Guard = SiloPolicy['differencing'];

function consortiumWith(differencing: Guard, rounds: number, manifest: Partial<JobManifest> = {}): MemoryConsortium {
  const policy = { ...openPolicy, differencing };
  return new MemoryConsortium(N, { manifest: { roundLimit: rounds, ...manifest }, policy });
}

/** Keeps the inputs of some silos out of one round. */
function leaveOut(consortium: MemoryConsortium, indices: readonly number[], round: number): void {
  for (const index of indices) {
    const silo = consortium.silos[index]!;
    const usual = silo.input;
    silo.input = (number, length) => (number === round ? undefined : usual(number, length));
  }
}

const warnings = (consortium: MemoryConsortium): string[] =>
  consortium.silos.flatMap(({ notices }) =>
    notices.filter(({ code }) => code === 'confirm/differencing').map((n) => n.detail),
  );
const refusals = (consortium: MemoryConsortium): string[] =>
  consortium.silos
    .flatMap(({ rejections }) => rejections.map(({ code }) => code))
    .filter((code) => code === 'confirm/differencing');

describe('survivors of two training rounds in a row that differ by one silo', () => {
  it('are told of by every silo that signs, once, and opened', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(N, 4));
    expect(warnings(consortium)).toHaveLength(N - 1);
    expect(warnings(consortium)[0]).toContain('differ by silo-004 alone');
  });

  it('are told of also where noise protects each record: a hospital has many', () => {
    const unitNoise = { unitColumn: '', clip: 1, noise: 1.1, batch: 16, minUnits: 400n, steps: 25 };
    const consortium = consortiumWith('warn', 2, { unitNoise, privacy: { epsilon: 3, delta: 1e-5 } });
    leaveOut(consortium, [4], 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(N, 4));
    expect(warnings(consortium)).toHaveLength(N - 1);
  });

  it('are refused where the policy says so, and the round is given up', () => {
    const consortium = consortiumWith('refuse', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    const [first, second] = consortium.job.closed;
    expect(first!.result).toBeDefined();
    expect(second!.abandon).toBeDefined();
    expect(refusals(consortium).length).toBeGreaterThanOrEqual(N - 1);
    for (const silo of consortium.silos)
      expect(silo.sent.filter(({ type }) => type === 'unmask').length).toBeLessThanOrEqual(1);
  });

  it('are seen also when it is the later sum that holds one more', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [0], 1);
    consortium.run();
    expect(warnings(consortium).length).toBe(N);
    expect(warnings(consortium)[0]).toContain('differ by silo-000 alone');
  });

  it('are the only ones: the same survivors, or others by two, are neither told of nor refused', () => {
    const same = consortiumWith('refuse', 3);
    same.run();
    expect(same.job.closed.every(({ result }) => result !== undefined)).toBe(true);
    const policy = { ...openPolicy, differencing: 'refuse' as const };
    const two = new MemoryConsortium(7, { manifest: { roundLimit: 2 }, policy });
    leaveOut(two, [5, 6], 2);
    two.run();
    expect(openedIn(two, 2)).toEqual([0, 1, 2, 3, 4]);
    expect([...refusals(two), ...warnings(two)]).toEqual([]);
  });

  it('leave the journal readable when the policy begins to refuse later', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    const [silo] = consortium.silos;
    const { self } = silo!.state;
    let state = initialSiloState({ ...self, policy: { ...self.policy, differencing: 'refuse' } });
    for (const bytes of silo!.journal) {
      const done = replaySilo(state, bytes);
      if (!done.ok) throw new Error(done.error);
      state = done.value;
    }
    expect(state.self.policy.differencing).toBe('refuse');
    expect(state.lastSums.get('train/job-1')).toMatchObject([{ round: 1 }, { round: 2 }]);
  });
});

describe('several sums of which no two differ by one silo', () => {
  const sets = (...left: number[][]): SiloId[][] => left.map((out) => siloNames(13).filter((_, i) => !out.includes(i)));

  it('isolate who is in some combination of them alone, by the rank of their sets', () => {
    expect(isolatedBy(sets([], [0, 1]))).toEqual([]);
    expect(isolatedBy(sets([], [0, 1], [0, 2]))).toEqual([]);
    // 2 x0 = (x0 + x1) + (x0 + x2) - (x1 + x2).
    expect(isolatedBy(sets([], [0, 1], [0, 2], [1, 2]))).toEqual(siloNames(3));
    expect(isolatedBy(sets([0], [0, 1]))).toEqual(siloNames(2).slice(1));
    expect(isolatedBy(sets([0, 1], [1, 2], [2, 3], [3, 0]))).toEqual([]);
    expect(isolatedBy(sets([], [0, 1, 2], [0, 1], [2, 3, 4]))).toEqual(['silo-002']);
    expect(isolatedBy([])).toEqual([]);
  });

  it('are found in any order of sets, and in no more of them than a solver with fractions finds', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
    let found = 0;
    for (let k = 0; k < 200; k++) {
      const some = Array.from({ length: 1 + random(6) }, () => siloNames(6).filter(() => random(3) > 0));
      const isolated = isolatedBy(some);
      expect(isolatedBy([...some].reverse())).toEqual(isolated);
      const expected = siloNames(6).filter((silo) => inSpan(some, silo));
      expect(isolated).toEqual(expected);
      found += isolated.length;
    }
    expect(found).toBeGreaterThan(20);
  });

  const LEFT_OUT = [[], [0, 1], [0, 2], [1, 2]];
  function inTurn(differencing: Guard): MemoryConsortium {
    const policy = { ...openPolicy, differencing };
    const consortium = new MemoryConsortium(7, { manifest: { roundLimit: LEFT_OUT.length }, policy });
    LEFT_OUT.forEach((indices, k) => {
      leaveOut(consortium, indices, k + 1);
    });
    consortium.run();
    return consortium;
  }

  it('are told of by every silo that signs the one that isolates', () => {
    const consortium = inTurn('warn');
    LEFT_OUT.forEach((indices, k) => {
      expect(openedIn(consortium, k + 1)).toEqual(allBut(7, ...indices));
    });
    expect(warnings(consortium)).toHaveLength(5);
    expect(warnings(consortium)[0]).toBe(
      'this sum and the last 3 like it (since round 1 of job "job-1") tell, taken together, about silo-000, silo-001, silo-002 alone.',
    );
  });

  it('are refused at that one where the policy says so, before anything of it is released', () => {
    const consortium = inTurn('refuse');
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([true, true, true, false]);
    expect(refusals(consortium).length).toBeGreaterThanOrEqual(5);
  });

  it('are remembered over a restart from what is kept in place of the journal', () => {
    const consortium = inTurn('warn');
    const { state } = consortium.silos[3]!;
    expect(state.lastSums.get('train/job-1')).toHaveLength(4);
    expect(decodeSnapshot(state.self, encodeSnapshot(state)).lastSums).toEqual(state.lastSums);
  });

  it('are no more than sixteen, over different survivors', () => {
    const policy = { ...openPolicy, differencing: 'warn' as const };
    const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 3 }, policy });
    leaveOut(consortium, [0, 1], 2);
    consortium.run();
    const kept = consortium.silos[3]!.state.lastSums.get('train/job-1')!;
    expect(kept.map(({ round }) => round)).toEqual([2, 3]);
    expect(LIMITS.sumsCompared).toBe(16);
  });
});

/** Whether the unit vector of a silo is in the span of the sets, by elimination in fractions of doubles: the sets are few and small. */
function inSpan(sets: readonly (readonly SiloId[])[], silo: SiloId): boolean {
  const rank = (rows: number[][]): number => {
    let found = 0;
    for (let column = 0; column < 6; column++) {
      const at = rows.findIndex((row, k) => k >= found && Math.abs(row[column]!) > 1e-9);
      if (at < 0) continue;
      [rows[found], rows[at]] = [rows[at]!, rows[found]!];
      for (let k = found + 1; k < rows.length; k++) {
        const factor = rows[k]![column]! / rows[found]![column]!;
        rows[k] = rows[k]!.map((value, j) => value - factor * rows[found]![j]!);
      }
      found++;
    }
    return found;
  };
  const matrix = (): number[][] => sets.map((set) => siloNames(6).map((one) => (set.includes(one) ? 1 : 0)));
  return rank([...matrix(), siloNames(6).map((one) => (one === silo ? 1 : 0))]) === rank(matrix());
}

describe('statistics of one data set that are asked for again', () => {
  const statistics = { kind: JobKind.JOB_KIND_STATISTICS };

  /** State of the first silo after an earlier statistics job over these silos, on records of this version. */
  function after(differencing: Guard, silos: readonly number[], version: string): MemoryConsortium {
    const consortium = consortiumWith(differencing, 1, statistics);
    for (const silo of consortium.silos) {
      const before = {
        jobId: 'earlier' as never,
        round: 1,
        silos: silos.map((index) => consortium.silos[index]!.id),
        dataSetVersion: version === 'same' ? seedFrom(`version ${silo.id}`) : seedFrom(version),
      };
      silo.state = { ...silo.state, lastSums: new Map([['statistics/records', [before]]]) };
    }
    consortium.run();
    return consortium;
  }

  it('over the same silos on the same records pass', () => {
    const consortium = after('refuse', [0, 1, 2, 3, 4], 'same');
    expect(openedIn(consortium, 1)).toEqual(allBut(N));
    expect([...refusals(consortium), ...warnings(consortium)]).toEqual([]);
  });

  it('over cohorts that differ by one silo are told of, or refused', () => {
    expect(warnings(after('warn', [0, 1, 2, 3], 'same'))[0]).toContain('differ by silo-004 alone');
    const refused = after('refuse', [0, 1, 2, 3], 'same');
    expect(refused.job.closed[0]!.abandon).toBeDefined();
    expect(refusals(refused).length).toBeGreaterThan(0);
  });

  it('over the same silos on records that changed are told of, or refused', () => {
    expect(warnings(after('warn', [0, 1, 2, 3, 4], 'other'))[0]).toContain('records have changed');
    expect(after('refuse', [0, 1, 2, 3, 4], 'other').job.closed[0]!.abandon).toBeDefined();
  });
});
