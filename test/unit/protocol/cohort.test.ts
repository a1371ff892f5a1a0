// Who is in the next round while the model stays as it was: those over whom silos that have signed will sign again (docs/protocol.md §2.4).

import { describe, expect, it } from 'vitest';
import { Outcome, type JobManifest } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { commitsToAnother, allBut, openedIn } from '../../support/memory/readings.js';
import { judgeByHash, type Judge } from '../../support/memory/vectors.js';

const DEALER = 2;

/** Shares of silo 2 match its commitments and do not give the secret it has committed to: the first round in which all have signed is burnt. */
function burnt(n: number, manifest: Partial<JobManifest>): MemoryConsortium {
  const consortium = new MemoryConsortium(n, { manifest });
  const dealer = consortium.silos[DEALER]!;
  commitsToAnother(consortium, dealer);
  return consortium;
}

/** The last silo is away until the first round is closed. */
function andLate(consortium: MemoryConsortium): MemoryConsortium {
  const late = consortium.silos.at(-1)!;
  late.crash();
  consortium.run(1);
  expect(consortium.job.closed[0]!.plan.cohort).not.toContain(late.id);
  late.restart();
  return consortium;
}

/** Keeps the input of one silo out of some rounds. */
function leaveOut(consortium: MemoryConsortium, index: number, ...rounds: number[]): void {
  const silo = consortium.silos[index]!;
  const usual = silo.input;
  silo.input = (round, length) => (rounds.includes(round) ? undefined : usual(round, length));
}

const cohorts = ({ job, silos }: MemoryConsortium): number[][] =>
  job.closed.map(({ plan }) => plan.cohort.map((id) => silos.findIndex((silo) => silo.id === id)));
const withResult = ({ job }: MemoryConsortium): boolean[] => job.closed.map(({ result }) => result !== undefined);
const codes = (consortium: MemoryConsortium): Set<string> =>
  new Set(consortium.silos.flatMap((silo) => silo.rejections.map(({ code }) => code)));

describe('the round after one that was burnt', () => {
  it('is planned without a silo that comes only then, also after restarts, and the one after it with that silo', () => {
    const consortium = burnt(5, { roundLimit: 3 });
    // The coordinator is killed after every record: it plans the same from its journal.
    let last = 0;
    consortium.hooks.crashAfter = (count) => count > last && (last = count) > 0;
    andLate(consortium).run();
    expect(withResult(consortium)).toEqual([false, true, true]);
    expect(cohorts(consortium)).toEqual([allBut(5, 4), allBut(5, 4), allBut(5)]);
    expect(openedIn(consortium, 2)).toEqual([0, 1, 3]);
    expect(openedIn(consortium, 3)).toEqual([0, 1, 3, 4]);
    expect(codes(consortium)).not.toContain('confirm/input-rule');
  });

  it('is planned for those who had signed, though the cohort was larger', () => {
    const consortium = burnt(6, { roundLimit: 3 });
    leaveOut(consortium, 5, 1);
    consortium.run();
    expect(withResult(consortium)).toEqual([false, true, true]);
    expect(cohorts(consortium)).toEqual([allBut(6), allBut(6, 5), allBut(6)]);
    expect(codes(consortium)).not.toContain('confirm/input-rule');
  });

  it('is planned without those of them who stay away, where they are so many that the difference tells of none alone', () => {
    const consortium = andLate(burnt(12, { roundLimit: 2 }));
    for (const silo of consortium.silos.slice(8, 11)) silo.crash();
    consortium.run(2);
    expect(cohorts(consortium)).toEqual([allBut(12, 11), [0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(openedIn(consortium, 2)).toEqual([0, 1, 3, 4, 5, 6, 7]);
  });

  it('is not waited for: while one who had signed stays away, everybody there is asked, and refuses; when it is back, the job goes on', () => {
    const consortium = burnt(6, { roundLimit: 4 });
    const [away] = consortium.silos;
    andLate(consortium);
    away!.crash();
    consortium.run(2);
    away!.restart();
    consortium.run();
    expect(withResult(consortium)).toEqual([false, false, true, true]);
    expect(cohorts(consortium)).toEqual([allBut(6, 5), allBut(6, 0), allBut(6, 5), allBut(6)]);
  });

  it('is planned with everybody after two in vain, so that no choice of the coordinator holds the job up for good', () => {
    const consortium = burnt(6, { roundLimit: 5 });
    leaveOut(consortium, 1, 2, 3, 4);
    andLate(consortium).run();
    expect(withResult(consortium)).toEqual([false, false, false, false, true]);
    expect(cohorts(consortium).map((cohort) => cohort.length)).toEqual([5, 5, 5, 6, 5]);
  });

  it('is planned with everybody, and refused, where the floors allow no cohort of those who had signed', () => {
    const consortium = andLate(burnt(5, { roundLimit: 2, minCohort: 4 }));
    consortium.run();
    expect(withResult(consortium)).toEqual([false, true]);
    const smaller = burnt(5, { roundLimit: 2, minCohort: 5 });
    leaveOut(smaller, 4, 1);
    smaller.run();
    expect(cohorts(smaller)).toEqual([allBut(5), allBut(5)]);
    expect(withResult(smaller)).toEqual([false, false]);
    expect(codes(smaller)).toContain('confirm/input-rule');
  });
});

describe('the round after one that was rejected', () => {
  it('is planned without a silo that comes only then, until the model has moved', () => {
    const rejectsFirst: Judge = (context, opened, survivors) =>
      context.plan.round === 1
        ? { outcome: Outcome.OUTCOME_REJECTED, newModelHash: context.plan.modelHash }
        : judgeByHash(context, opened, survivors);
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 3 }, judge: rejectsFirst });
    andLate(consortium).run();
    expect(cohorts(consortium)).toEqual([allBut(5, 4), allBut(5, 4), allBut(5)]);
    expect(openedIn(consortium, 2)).toEqual(allBut(5, 4));
    expect(openedIn(consortium, 3)).toEqual(allBut(5));
    expect(codes(consortium)).not.toContain('confirm/input-rule');
  });
});

describe('the round after one in which nothing was released', () => {
  it('is planned with everybody: its silos have signed that it will never be opened', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    consortium.hooks.deliver = (_, { body }) => body?.$case !== 'unmask' || consortium.job.closed.length > 0;
    andLate(consortium).run();
    expect(withResult(consortium)).toEqual([false, true]);
    expect(cohorts(consortium)).toEqual([allBut(5, 4), allBut(5)]);
  });
});
