// Silos that go away at every point of a round: the sum holds exactly the survivors, everybody alive acknowledges, and whoever comes
// back catches up from the transcripts and takes part again (docs/protocol.md §2.3, §2.4).

import { describe, expect, it } from 'vitest';
import type { SiloId } from '../../../src/base/index.js';
import type { Directive } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, jobOf, openedIn } from '../../support/memory/readings.js';

type Told = NonNullable<Directive['body']>['$case'];

interface Drop {
  readonly when: string;
  /** The silo is killed instead of getting this directive. */
  readonly at?: Told;
  /** The silo is killed while it hands in this message. */
  readonly sending?: string;
  readonly inSum: boolean;
}

const DROPS: Drop[] = [
  { when: 'before it advertises keys', at: 'start', inSum: false },
  { when: 'after it advertised keys', at: 'keys', inSum: false },
  { when: 'after it dealt shares', at: 'shares', inSum: false },
  { when: 'while it hands in its masked input', sending: 'masked-header', inSum: false },
  { when: 'after it masked its input', at: 'confirm', inSum: true },
  { when: 'after it signed the survivors', at: 'unmask', inSum: true },
  { when: 'while it hands in its shares', sending: 'unmask', inSum: true },
];

/** Kills each of the named silos at that point of round 1, once. */
function dropAt(consortium: MemoryConsortium, { at, sending }: Drop, indices: readonly number[]): void {
  const left = new Set(indices.map((i) => consortium.silos[i]!.id));
  const once = (id: SiloId): boolean => left.delete(id);
  consortium.hooks.deliver = (silo, directive) => {
    if (directive.body?.$case !== at || !once(silo.id)) return true;
    silo.crash();
    return false;
  };
  consortium.hooks.arrive = (silo, envelope) => {
    if (envelope.type !== sending || !once(silo.id)) return true;
    silo.crash();
    return false;
  };
}

const COHORTS = [
  { n: 5, c: 1, gone: [2] },
  { n: 7, c: 2, gone: [0, 3] },
  { n: 10, c: 3, gone: [1, 4, 6] },
];

describe('a silo that goes away', () => {
  for (const { n, c, gone } of COHORTS)
    for (const drop of n === 10 ? DROPS.filter(({ at }) => at === 'shares' || at === 'unmask') : DROPS)
      it(`${drop.when} is ${drop.inSum ? '' : 'not '}in the sum, comes back and catches up (${gone.length} of ${n})`, () => {
        const consortium = new MemoryConsortium(n, { manifest: { maxMalicious: c, roundLimit: 2 } });
        dropAt(consortium, drop, gone);
        consortium.run(1);
        expect(gone.map((i) => consortium.silos[i]!.up)).toEqual(gone.map(() => false));
        for (const i of gone) consortium.silos[i]!.restart();
        consortium.run();

        expect(consortium.job.status).toBe('completed');
        const [first, second] = consortium.job.closed;
        expect(first!.attempt).toBe(1);
        expect(openedIn(consortium, 1)).toEqual(drop.inSum ? allBut(n) : allBut(n, ...gone));
        expect(openedIn(consortium, 2)).toEqual(allBut(n));
        for (const round of [first!, second!]) {
          expect(round.acks.size).toBe(n);
          expect(round.disputes.size).toBe(0);
        }
        for (const silo of consortium.silos) expect(jobOf(silo).modelHash).toEqual(consortium.job.modelHash);
      });

  for (const drop of DROPS)
    it(`${drop.when} and stays away does not keep the others from going on`, () => {
      const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
      dropAt(consortium, drop, [3]);
      consortium.run();
      expect(consortium.job.status).toBe('completed');
      expect(openedIn(consortium, 1)).toEqual(drop.inSum ? allBut(5) : allBut(5, 3));
      expect(openedIn(consortium, 2)).toEqual(allBut(5, 3));
      for (const round of consortium.job.closed) expect([...round.acks.keys()].sort()).toEqual(upIds(consortium));
    });
});

function upIds(consortium: MemoryConsortium): string[] {
  return consortium.silos.filter((silo) => silo.up).map((silo) => silo.id);
}

describe('a silo that cannot contribute', () => {
  it('declines, nobody waits for it, and it still releases and acknowledges', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const silo = consortium.silos[1]!;
    silo.input = () => undefined;
    const before = consortium.time;
    consortium.run(1);
    const round = consortium.job.closed[0]!;
    expect(round.attempt).toBe(1);
    // Nothing but the time for those who leave may pass: no phase ran into its limit.
    expect(consortium.time - before).toBeLessThan(10_000);
    expect(openedIn(consortium, 1)).toEqual(allBut(5, 1));
    expect(silo.sent.map((envelope) => envelope.type)).toContain('decline');
    consortium.run();
    expect(consortium.job.closed[0]!.acks.size).toBe(5);
    expect(silo.state.ledger.size).toBe(0);
  });

  it('contributes to the next round when it can again', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    const silo = consortium.silos[1]!;
    const usual = silo.input;
    silo.input = (round, length) => (round === 1 ? undefined : usual(round, length));
    consortium.run();
    expect(openedIn(consortium, 1)).toEqual(allBut(5, 1));
    expect(openedIn(consortium, 2)).toEqual(allBut(5));
  });
});
