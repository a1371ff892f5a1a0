// The input rule (docs/protocol.md §3): the same input is not opened twice with other company, over attempts, rounds and jobs. And what
// else spans the rounds of a silo: charges and the daily limit.

import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../../src/wire/index.js';
import { smallestClass } from '../../../src/protocol/classes.js';
import { forgetDeadOpenings } from '../../../src/protocol/silo/openings.js';
import { roundsCharged } from '../../../src/protocol/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { seedFrom } from '../../support/memory/founding.js';
import { allBut, jobOf, openedIn } from '../../support/memory/readings.js';

const KEY = seedFrom('one and the same input');

/** Every round of every silo has the same input key. */
function withStaticInputs(n: number, rounds: number, reopenedKeys: Uint8Array[] = []): MemoryConsortium {
  const consortium = new MemoryConsortium(n, { manifest: { roundLimit: rounds, reopenedKeys } });
  for (const silo of consortium.silos) silo.inputKeys = () => [KEY];
  return consortium;
}

/** Keeps the input of one silo out of one round. */
function leaveOut(consortium: MemoryConsortium, index: number, round: number): void {
  const silo = consortium.silos[index]!;
  const usual = silo.input;
  silo.input = (number, length) => (number === round ? undefined : usual(number, length));
}

const codes = (consortium: MemoryConsortium): Set<string> =>
  new Set(consortium.silos.flatMap((silo) => silo.rejections.map(({ code }) => code)));

describe('the input rule', () => {
  it('lets the same input be opened again with the same survivors', () => {
    const consortium = withStaticInputs(5, 3);
    consortium.run();
    expect(consortium.job.closed.map((round) => round.acks.size)).toEqual([5, 5, 5]);
    expect(consortium.job.closed.every((round) => round.result !== undefined)).toBe(true);
    expect(codes(consortium)).toEqual(new Set());
  });

  it('refuses to sign or release the same input with other survivors: all, then all but one', () => {
    const consortium = withStaticInputs(5, 2);
    leaveOut(consortium, 2, 2);
    consortium.run();
    const [first, second] = consortium.job.closed;
    expect(first!.result).toBeDefined();
    expect(second!.abandon).toBeDefined();
    expect(codes(consortium)).toEqual(new Set(['confirm/input-rule']));
    for (const silo of consortium.silos)
      expect(silo.sent.filter(({ type }) => type === 'unmask').length).toBeLessThanOrEqual(1);
  });

  it('refuses the sequence all, all but {0, 1}, all but {0, 2} that isolates a silo', () => {
    const consortium = withStaticInputs(7, 3);
    for (const [index, round] of [
      [0, 2],
      [1, 2],
      [0, 3],
      [2, 3],
    ] as const)
      leaveOut(consortium, index, round);
    consortium.run();
    expect(consortium.job.closed.map((round) => round.result !== undefined)).toEqual([true, false, false]);
  });

  it('lets the same input be opened with other survivors when no class of silos that a difference isolates is small', () => {
    const consortium = withStaticInputs(13, 2);
    // minHonest + c = 3 silos are missing in the second round, and ten are in both.
    for (const index of [0, 1, 2]) leaveOut(consortium, index, 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(13, 0, 1, 2));
    expect(codes(consortium)).toEqual(new Set());
  });

  it('refuses a class one smaller than that', () => {
    const consortium = withStaticInputs(13, 2);
    for (const index of [0, 1]) leaveOut(consortium, index, 2);
    consortium.run();
    expect(consortium.job.closed[1]!.abandon).toBeDefined();
    expect(codes(consortium)).toEqual(new Set(['confirm/input-rule']));
  });

  it('counts classes over all openings of a key, so that a sequence isolates nobody', () => {
    const all = Array.from({ length: 9 }, (_, i) => `s${i}`);
    const without = (...gone: number[]): string[] => all.filter((_, i) => !gone.includes(i));
    expect(smallestClass([all, without(0, 1, 2)])).toBe(3);
    // Each pair of sets differs by three or more silos, and together they still single one out.
    expect(smallestClass([all, without(0, 1, 2), without(0, 3, 4)])).toBe(1);
    expect(smallestClass([all, all])).toBe(9);
  });

  it('lets a key be opened with other survivors when the manifest lists it as reopened', () => {
    const consortium = withStaticInputs(5, 2, [KEY]);
    leaveOut(consortium, 2, 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(5, 2));
    expect(consortium.job.closed[1]!.acks.size).toBe(5);
  });

  it('lets other inputs be opened with other survivors', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    leaveOut(consortium, 2, 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(5, 2));
  });

  it('counts an input as opened that is in a verified sum, though this silo neither signed nor released', () => {
    const consortium = withStaticInputs(5, 2);
    const away = consortium.silos[1]!;
    consortium.hooks.deliver = (silo, { body }) => {
      if (silo !== away || body?.$case !== 'confirm' || consortium.job.closed.length > 0) return true;
      away.crash();
      return false;
    };
    consortium.run(1);
    away.restart();
    consortium.hooks = {};
    consortium.run(2);
    expect(openedIn(consortium, 1)).toEqual(allBut(5));
    const [opening] = [...away.state.openings.values()].flat();
    expect(opening!.silos).toEqual(consortium.silos.map((silo) => silo.id));
  });

  it('counts the survivors of an attempt that was signed until the result says which were opened', () => {
    const consortium = withStaticInputs(5, 1);
    // Attempt 1 is confirmed without silo 4 and released by nobody; attempt 2 has everybody.
    let asked = 0;
    consortium.hooks.arrive = (silo, { type }) => !(type === 'masked-header' && silo.index === 4 && attempt() === 1);
    consortium.hooks.deliver = (_, { body }) => {
      if (body?.$case === 'unmask' && attempt() === 1) return false;
      if (body?.$case === 'unmask')
        asked = Math.max(asked, consortium.silos[0]!.state.openings.values().next().value!.length);
      return true;
    };
    const attempt = (): number => consortium.job.open!.attempt.context.attempt.attempt;
    consortium.run();
    const [round] = consortium.job.closed;
    expect(round!.attempt).toBe(2);
    expect(asked).toBe(2);
    for (const silo of consortium.silos) {
      const openings = [...silo.state.openings.values()].flat();
      expect(openings.map(({ silos }) => silos.length)).toEqual([5]);
    }
  });

  /** Round 1 is signed by all and released by nobody, and abandoned; one silo has no input in round 2. */
  function abandonedOnce(arrives: (silo: number) => boolean): MemoryConsortium {
    const consortium = withStaticInputs(4, 2);
    consortium.hooks.deliver = (_, { body }) => body?.$case !== 'unmask' || consortium.job.closed.length > 0;
    consortium.hooks.arrive = ({ index }, { type }) =>
      type !== 'abort' || consortium.job.closed.length === 0 || arrives(index);
    leaveOut(consortium, 3, 2);
    consortium.run();
    return consortium;
  }

  it('forgets what was signed in an abandoned round once enough silos have signed that they never release in it', () => {
    const consortium = abandonedOnce(() => true);
    expect(consortium.job.closed.map((round) => round.abandon !== undefined)).toEqual([true, false]);
    expect(codes(consortium)).toEqual(new Set());
    expect(consortium.job.closed[0]?.aborts.size).toBe(4);
  });

  it('keeps it as opened while one too few have', () => {
    // n = 4, t = 3, c = 1: three are needed.
    const consortium = abandonedOnce((silo) => silo < 2);
    expect(consortium.job.closed.map((round) => round.abandon !== undefined)).toEqual([true, true]);
    expect(codes(consortium)).toContain('confirm/input-rule');
  });

  it('counts silos and not messages, and no Abort of another round', () => {
    const consortium = abandonedOnce((silo) => silo < 2);
    const silo = consortium.silos[0]!;
    const { aborts } = consortium.job.closed[0]!;
    const own = [...aborts.values()];
    const job = jobOf(silo);
    const opened = (state: typeof silo.state): number => [...state.openings.values()].flat().length;
    const before = opened(silo.state);
    expect(before).toBeGreaterThan(0);
    expect(opened(forgetDeadOpenings(silo.state, job, [...own, ...own, ...own]))).toBe(before);
    const foreign = [2, 3].map((index) => consortium.silos[index]!.sent.find(({ type }) => type === 'abort')!);
    expect(foreign).toHaveLength(2);
    expect(opened(forgetDeadOpenings(silo.state, job, [...own, ...foreign]))).toBe(before);
  });

  it('is not freed by a silo that has released: it signs no Abort', () => {
    const consortium = withStaticInputs(5, 1);
    consortium.hooks.deliver = ({ index }, { body }) => body?.$case !== 'unmask' || index === 0;
    consortium.hooks.arrive = ({ index }, { type }) => index > 0 || (type !== 'unmask' && type !== 'release-answer');
    consortium.run();
    expect(consortium.job.closed[0]?.abandon).toBeDefined();
    for (const silo of consortium.silos) {
      const released = silo.sent.some(({ type }) => type === 'unmask');
      expect(consortium.job.closed[0]!.aborts.has(silo.id)).toBe(!released);
    }
  });
});

describe('the ledger', () => {
  it('charges a data set once for each round, also when the round took three attempts and was abandoned', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    consortium.hooks.deliver = (_, { body }) => body?.$case !== 'unmask' || consortium.job.closed.length > 0;
    consortium.run();
    expect(consortium.job.closed.map((round) => round.attempt)).toEqual([3, 1]);
    for (const silo of consortium.silos) expect(roundsCharged(silo.state, 'records')).toBe(2);
  });

  it('charges before the first byte of the masked input leaves', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const charged: number[] = [];
    consortium.hooks.arrive = (silo, envelope: Envelope) => {
      if (envelope.type === 'masked-header') charged.push(roundsCharged(silo.state, 'records'));
      return true;
    };
    consortium.run();
    expect(charged).toEqual([1, 1, 1, 1]);
  });

  it('charges nothing to a silo whose shares came too late, and uploads nothing of it', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    consortium.hooks.arrive = (silo, { type }) => !(silo.index === 2 && type === 'share-header');
    consortium.run();
    expect(openedIn(consortium, 1)).toEqual(allBut(5, 2));
    const silo = consortium.silos[2]!;
    expect(silo.state.ledger.size).toBe(0);
    expect([...consortium.uploads.keys()].filter((name) => name.endsWith(silo.id))).toEqual([]);
    expect(jobOf(silo).closedRound).toBe(1);
  });
});

describe('the daily limit', () => {
  it('refuses a round more than the policy allows within 24 hours, and lets it begin a day later', () => {
    const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 2 };
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 4 }, policy });
    consortium.run(3);
    expect(consortium.job.closed[2]!.abandon).toBeDefined();
    for (const silo of consortium.silos) {
      expect(silo.rejections.map(({ code }) => code)).toContain('plan/rounds-per-day');
      expect(silo.state.recentPlans).toHaveLength(2);
    }
    consortium.time += 24 * 60 * 60 * 1000;
    consortium.run();
    expect(openedIn(consortium, 4)).toEqual(allBut(4));
  });

  it('counts a round once, however many attempts it takes', () => {
    const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 1 };
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 }, policy });
    consortium.hooks.deliver = (silo, { body }) =>
      !(body?.$case === 'confirm' && silo.index < 2 && consortium.job.open?.attempt.context.attempt.attempt === 1);
    consortium.run();
    expect(consortium.job.closed[0]!.attempt).toBe(2);
    expect(openedIn(consortium, 1)).toEqual(allBut(4));
  });
});
