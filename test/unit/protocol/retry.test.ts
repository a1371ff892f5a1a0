// Attempts that cannot go on: repeated, finished after all, or the round abandoned (docs/protocol.md §2.4).

import { describe, expect, it } from 'vitest';
import type { Directive, Envelope } from '../../../src/wire/index.js';
import { graphParameters } from '../../../src/privacy/index.js';
import { deadAfterAborts, roundsCharged } from '../../../src/protocol/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, jobOf, openedIn } from '../../support/memory/readings.js';
import { inSum, regularConsortium } from '../../support/memory/regular.js';
import type { MemorySilo } from '../../support/memory/silo.js';

type Told = NonNullable<Directive['body']>['$case'];

const attemptOf = (consortium: MemoryConsortium): number => consortium.job.open!.attempt.context.attempt.attempt;

/** Withholds directives of one kind from silos in the first attempt. */
function withhold(consortium: MemoryConsortium, kind: Told, from: (silo: MemorySilo) => boolean): void {
  consortium.hooks.deliver = (silo, { body }) => !(body?.$case === kind && attemptOf(consortium) === 1 && from(silo));
}

describe('an attempt without enough silos', () => {
  it('is repeated up to three times, then the round is abandoned, acknowledged, and the next one works', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case !== 'keys' || silo.index > 1 || consortium.job.closed.length > 0) return true;
      silo.crash();
      return false;
    };
    consortium.run();
    const [abandoned] = consortium.job.closed;
    expect(consortium.job.closed).toHaveLength(1);
    expect(abandoned!.attempt).toBe(3);
    expect(abandoned!.abandon).toBeDefined();
    expect(abandoned!.result).toBeUndefined();
    expect([...abandoned!.acks.keys()]).toEqual(consortium.silos.slice(2).map((silo) => silo.id));
    for (const silo of consortium.silos.slice(0, 2)) silo.restart();
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(openedIn(consortium, 2)).toEqual(allBut(5));
    expect(consortium.job.closed.map((round) => round.acks.size)).toEqual([5, 5]);
    for (const silo of consortium.silos) expect(jobOf(silo).modelHash).toEqual(consortium.job.modelHash);
  });

  it('ends a job whose every round was abandoned as one without a result, not as a completed one', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case !== 'keys' || silo.index > 1 || consortium.job.closed.length > 0) return true;
      silo.crash();
      return false;
    };
    consortium.run();
    for (const silo of consortium.silos.slice(0, 2)) silo.restart();
    consortium.run();
    expect(consortium.job.closed.map((round) => round.result)).toEqual([undefined]);
    expect(consortium.job.status).toBe('ended');
    expect(consortium.job.reason).toContain('every round was abandoned');
    for (const silo of consortium.silos) expect(jobOf(silo).closedRound).toBe(1);
  });

  it('is repeated with fresh keys and the same input, charged once', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    withhold(consortium, 'confirm', (silo) => silo.index < 2);
    consortium.run();
    const [round] = consortium.job.closed;
    expect(round!.attempt).toBe(2);
    expect(openedIn(consortium, 1)).toEqual(allBut(5));
    for (const silo of consortium.silos) {
      expect(roundsCharged(silo.state, 'records')).toBe(1);
      expect(silo.inputs.size).toBe(1);
      const [first, second] = silo.sent.filter(({ type }) => type === 'masked-header');
      expect(first!.payload).not.toEqual(second!.payload);
    }
  });

  it('is repeated with the earlier attempts aborted by everybody, also by one killed before its abort left', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    withhold(consortium, 'confirm', (silo) => silo.index < 2);
    const killed = consortium.silos[3]!;
    killed.afterRecord = () => {
      if (consortium.job.open === undefined || attemptOf(consortium) !== 2) return;
      killed.afterRecord = () => undefined;
      killed.crash();
      killed.restart();
    };
    let aborts: ReadonlyMap<number, Envelope> | undefined;
    consortium.hooks.arrive = () => {
      aborts = consortium.job.open?.aborts.get(1) ?? aborts;
      return true;
    };
    consortium.run();
    expect(consortium.job.closed[0]!.attempt).toBe(2);
    expect([...aborts!.keys()].sort()).toEqual(allBut(5));
  });

  it('ends as if nothing had happened when the coordinator is killed after every record', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
    let last = 0;
    consortium.hooks.crashAfter = (count) => count > last && (last = count) > 0;
    const away = new Set([0, 1]);
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case !== 'sharesClosed' || !away.has(silo.index) || consortium.job.closed.length > 0) return true;
      silo.crash();
      return false;
    };
    consortium.run();
    expect(consortium.job.closed).toHaveLength(1);
    expect(consortium.job.closed[0]!.abandon).toBeDefined();
    for (const index of away) consortium.silos[index]!.restart();
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(4));
    expect(consortium.job.closed.map((round) => round.acks.size)).toEqual([4, 4]);
  });
});

describe('a directive', () => {
  it('is not passed over when an abort comes after the keys of the next attempt were closed', () => {
    const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 1 } });
    const [first] = consortium.silos;
    const late = consortium.silos[6]!;
    let once = true;
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case !== 'keys') return true;
      const { phase } = consortium.job.open!.attempt;
      if (attemptOf(consortium) === 1 && phase === 'share' && silo.index >= 4) {
        silo.crash();
        return false;
      }
      if (attemptOf(consortium) === 2 && silo === first && once) {
        once = false;
        first.crash();
        first.restart();
        late.restart();
        return false;
      }
      return true;
    };
    consortium.hooks.arrive = (_, envelope) => {
      if (envelope.type === 'release-answer')
        for (const silo of consortium.silos.slice(4, 6)) if (!silo.up) silo.restart();
      return true;
    };
    consortium.run();
    expect(consortium.job.closed[0]!.attempt).toBe(2);
    expect(openedIn(consortium, 1)).toEqual(allBut(7, 6));
  });
});

describe('a silo that has released', () => {
  it('has its attempt finished from the answers to the release query when its shares were lost', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    consortium.hooks.arrive = (_, envelope) => envelope.type !== 'unmask';
    consortium.run();
    const [round] = consortium.job.closed;
    expect(round!.result).toBeDefined();
    expect(round!.attempt).toBe(1);
    expect(round!.acks.size).toBe(5);
    expect(openedIn(consortium, 1)).toEqual(allBut(5));
  });

  it('has its attempt finished by the others when only its shares had been asked for', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    let asked = false;
    consortium.hooks.deliver = (silo, { body }) => {
      if (body?.$case === 'releaseQuery') asked = true;
      return !(body?.$case === 'unmask' && silo.index > 0 && !asked);
    };
    consortium.hooks.arrive = (_, envelope) => envelope.type !== 'unmask' || asked;
    consortium.run();
    const [round] = consortium.job.closed;
    expect(round!.attempt).toBe(1);
    expect(round!.acks.size).toBe(5);
    expect(openedIn(consortium, 1)).toEqual(allBut(5));
  });

  /** Attempt 1 in which silo 2 alone released, its message was lost and it went away. */
  function releasedAndGone(
    n: number,
    consortium = new MemoryConsortium(n, { manifest: { roundLimit: 1 } }),
  ): { consortium: MemoryConsortium; gone: MemorySilo } {
    const gone = consortium.silos[2]!;
    withhold(consortium, 'unmask', (silo) => silo !== gone);
    consortium.hooks.arrive = (silo, envelope) => {
      if (envelope.type !== 'unmask' || attemptOf(consortium) > 1) return true;
      silo.crash();
      return false;
    };
    return { consortium, gone };
  }

  it('joins the next attempt once n - t + c + 1 distinct silos have signed that the first is dead, not before', () => {
    const { consortium, gone } = releasedAndGone(5);
    const shown: number[] = [];
    const deliver = consortium.hooks.deliver!;
    consortium.hooks.deliver = (silo, directive) => {
      const { body } = directive;
      if (body?.$case === 'start' && attemptOf(consortium) === 2) {
        if (!gone.up) gone.restart();
        if (silo === gone) shown.push(body.value.aborts.length);
      }
      return deliver(silo, directive);
    };
    consortium.run();
    const refused = gone.rejections.filter(({ code }) => code === 'plan/released').length;
    // Shown again with every new abort: refused below 5 - 4 + 1 + 1 = 3, accepted with the first three.
    expect(shown.filter((count) => count < 3)).toHaveLength(refused);
    expect(refused).toBeGreaterThan(0);
    expect(shown.at(-1)).toBeGreaterThanOrEqual(3);
    const [round] = consortium.job.closed;
    expect(round!.attempt).toBe(2);
    expect(openedIn(consortium, 1)).toEqual(allBut(5));
    expect(round!.acks.size).toBe(5);
    expect(roundsCharged(gone.state, 'records')).toBe(1);
  });

  it('joins it along a regular graph only after as many as leave too few to open the first', () => {
    const n = 13;
    const graph = graphParameters(n, 1, 2)!;
    const needed = deadAfterAborts(n, 1, graph);
    expect(needed).toBeGreaterThan(deadAfterAborts(n, 1));
    const { consortium, gone } = releasedAndGone(n, regularConsortium(n, { c: 1, absent: 2 }));
    const shown: number[] = [];
    const deliver = consortium.hooks.deliver!;
    consortium.hooks.deliver = (silo, directive) => {
      const { body } = directive;
      if (body?.$case === 'start' && attemptOf(consortium) === 2) {
        if (!gone.up) gone.restart();
        if (silo === gone) shown.push(body.value.aborts.length);
      }
      return deliver(silo, directive);
    };
    consortium.run();
    const refused = gone.rejections.filter(({ code }) => code === 'plan/released').length;
    expect(shown.filter((count) => count < needed)).toHaveLength(refused);
    expect(refused).toBeGreaterThan(0);
    expect(shown.at(-1)).toBeGreaterThanOrEqual(needed);
    expect(consortium.job.closed[0]!.attempt).toBe(2);
    expect(inSum(consortium, 1)).toEqual(allBut(n));
  });

  it('is shown the aborts of every earlier attempt, one for each silo', () => {
    const { consortium, gone } = releasedAndGone(5);
    const absent = consortium.silos.slice(3);
    const deliver = consortium.hooks.deliver!;
    let best = 0;
    consortium.hooks.deliver = (silo, directive) => {
      const { body } = directive;
      if (body?.$case === 'start' && attemptOf(consortium) === 2 && absent.includes(silo)) {
        silo.crash();
        return false;
      }
      if (body?.$case === 'start' && attemptOf(consortium) === 3) {
        for (const one of [gone, ...absent]) if (!one.up) one.restart();
        if (silo === gone) best = Math.max(best, new Set(body.value.aborts.map(({ signer }) => signer)).size);
      }
      return deliver(silo, directive);
    };
    consortium.run();
    const [round] = consortium.job.closed;
    expect(round!.attempt).toBe(3);
    expect(best).toBeGreaterThanOrEqual(3);
    expect(openedIn(consortium, 1)).toContain(gone.index);
    expect(round!.acks.size).toBe(5);
  });

  it('counts its input as opened when the round is abandoned, and says so', () => {
    const { consortium, gone } = releasedAndGone(4);
    // Nobody else comes: two of four are too few for a second attempt.
    const deliver = consortium.hooks.deliver!;
    consortium.hooks.deliver = (silo, directive) => {
      if (directive.body?.$case === 'start' && attemptOf(consortium) === 2 && silo.index === 1) {
        silo.crash();
        return false;
      }
      return deliver(silo, directive);
    };
    consortium.run();
    expect(consortium.job.closed[0]!.abandon).toBeDefined();
    gone.restart();
    consortium.run();
    expect(gone.notices.map(({ code }) => code)).toContain('round/burnt');
    expect([...gone.state.openings.values()].flat()).toHaveLength(1);
    expect(jobOf(gone).closedRound).toBe(1);
  });
});
