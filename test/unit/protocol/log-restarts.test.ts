// Killed after every single record under a transparency log: Hello is said anew, nothing is signed twice with other bytes, the log stays
// the one that the journal gives, and the job is completed.

import { describe, expect, it } from 'vitest';
import type { SignedType } from '../../../src/crypto/index.js';
import type { SiloEvent } from '../../../src/protocol/index.js';
import { isAwake } from '../../../src/protocol/silo/index.js';
import { CompactRange, leafHash } from '../../../src/transcript/index.js';
import { Ack, decode } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, distinctSent, jobOf, openedIn } from '../../support/memory/readings.js';

const ONCE: SignedType[] = ['advertise', 'share-header', 'masked-header', 'consistency', 'unmask', 'ack'];
const N = 4;

const logged = (roundLimit = 1, n = N): MemoryConsortium =>
  new MemoryConsortium(n, { manifest: { roundLimit }, log: true });

function demandLog({ log, coordinator }: MemoryConsortium): void {
  const range = log.reduce((grown, entry) => grown.append(leafHash(entry)).range, CompactRange.EMPTY);
  expect([range.size, range.root()]).toEqual([coordinator.log!.range.size, coordinator.log!.range.root()]);
}

/** Every round has ended, everybody stands behind it, and nobody has signed two things in one attempt. */
function demandWhole(consortium: MemoryConsortium, n = N): void {
  expect(consortium.job.status).toBe('completed');
  for (const round of consortium.job.closed) {
    expect(round.result).toBeDefined();
    expect(round.acks.size).toBe(n);
    expect(round.disputes.size).toBe(0);
  }
  const attempts = consortium.job.closed.reduce((sum, { attempt }) => sum + attempt, 0);
  for (const silo of consortium.silos)
    for (const type of ONCE) expect(distinctSent(silo, type).length).toBeLessThanOrEqual(attempts);
  demandLog(consortium);
}

function undisturbed(): MemoryConsortium {
  const consortium = logged();
  consortium.run();
  return consortium;
}

const plain = undisturbed();

describe('a coordinator under a log that is killed', () => {
  it('after every one of its records, before the log has the entries, appends them and ends with all inputs', () => {
    const consortium = logged();
    let last = 0;
    consortium.hooks.crashAfter = (count) => count > last && (last = count) > 0;
    consortium.run();
    expect(last).toBeGreaterThan(25);
    demandWhole(consortium);
    expect(openedIn(consortium, 1)).toEqual(allBut(N));
  });

  it('with the last entries of its log lost, gives them again', () => {
    for (const lost of [1, 3, 10]) {
      const consortium = undisturbed();
      const whole = [...consortium.log];
      consortium.log.length -= lost;
      consortium.restartCoordinator();
      expect(consortium.log).toEqual(whole);
    }
  });
});

describe('a silo under a log that is killed', () => {
  it('after any one of its records says Hello, resends what it had signed, and the round ends with it', () => {
    for (let at = 1; at <= plain.silos[0]!.journal.length; at++) {
      const consortium = logged();
      const silo = consortium.silos[at % N]!;
      let killed = false;
      silo.afterRecord = (count) => {
        if (killed || count !== at) return;
        killed = true;
        silo.crash();
        silo.restart();
      };
      if (silo.journal.length >= at) {
        silo.crash();
        silo.restart();
      }
      consortium.run();
      demandWhole(consortium);
    }
  });

  it('and stays away until the others have ended, catches up with every round', () => {
    const consortium = logged(2, 5);
    const silo = consortium.silos[2]!;
    let killed = false;
    silo.afterRecord = (count) => {
      if (killed || count !== 9) return;
      killed = true;
      silo.crash();
    };
    consortium.run();
    expect(consortium.job.closed).toHaveLength(2);
    silo.restart();
    consortium.run();
    demandWhole(consortium, 5);
  });
});

describe('a silo under a log whose input is ready while it may promise nothing', () => {
  it('charges it durably before the first masked byte leaves, and its Ack tells of it', () => {
    const consortium = logged();
    const silo = consortium.silos[1]!;
    const feed = silo.feed.bind(silo);
    let ready: SiloEvent | undefined;
    let awake = true;
    // Computing takes until the set of dealers is closed.
    silo.feed = (event) => {
      if (event.$case === 'contributionReady' && ready === undefined) ready = event;
      else feed(event);
    };
    silo.afterRecord = () => {
      if (ready === undefined || jobOf(silo).open?.attempt.dealers === undefined) return;
      silo.afterRecord = () => undefined;
      silo.crash();
      silo.restart();
      // The Hello of this start is in no checkpoint yet.
      awake = isAwake(silo.state, jobOf(silo));
      feed(ready);
    };
    consortium.run();
    expect(awake).toBe(false);
    demandWhole(consortium);
    expect(openedIn(consortium, 1)).toEqual(allBut(N));
    expect(distinctSent(silo, 'ack').map(({ payload }) => decode(Ack, 'ack', payload).charge?.rounds)).toEqual([1n]);
    // What the journal gives after one more start is what was charged while it ran.
    const { ledger } = silo.state;
    silo.crash();
    silo.restart();
    expect(silo.state.ledger).toEqual(ledger);
    expect([...ledger.values()].flat().map(({ rounds }) => rounds)).toEqual([1]);
  });
});
