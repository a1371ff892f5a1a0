// Killed after every single journal record: nothing is lost, nothing is signed twice with other bytes (docs/protocol.md §2.7 G1 to G4).

import { describe, expect, it } from 'vitest';
import { hex, type SiloId } from '../../../src/base/index.js';
import type { SignedType } from '../../../src/crypto/index.js';
import { initialSiloState, replaySilo, roundsCharged, seal, siloSigner } from '../../../src/protocol/index.js';
import { Decline, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, distinctSent, jobOf, openedIn } from '../../support/memory/readings.js';

/** What a silo signs once in an attempt, whatever happens to it. */
const ONCE: SignedType[] = ['advertise', 'share-header', 'masked-header', 'consistency', 'ack'];

function demandWhole(consortium: MemoryConsortium, n: number): void {
  expect(consortium.job.status).toBe('completed');
  for (const round of consortium.job.closed) {
    expect(round.result).toBeDefined();
    expect(openedIn(consortium, round.plan.round)).toEqual(allBut(n));
    expect(round.attempt).toBe(1);
    expect(round.acks.size).toBe(n);
    expect(round.disputes.size).toBe(0);
  }
  for (const silo of consortium.silos) {
    expect(jobOf(silo).modelHash).toEqual(consortium.job.modelHash);
    for (const type of ONCE) expect(distinctSent(silo, type)).toHaveLength(consortium.job.closed.length);
    // The round may be published before the last ones are asked to release.
    expect(distinctSent(silo, 'unmask').length).toBeLessThanOrEqual(consortium.job.closed.length);
    expect(roundsCharged(silo.state, 'records')).toBe(consortium.job.closed.length);
  }
}

/** How the same run ends when nobody is killed. */
function undisturbed(n: number): MemoryConsortium {
  const consortium = new MemoryConsortium(n, { manifest: { roundLimit: 1 } });
  consortium.run();
  return consortium;
}

function declineOf(consortium: MemoryConsortium, rid: Uint8Array): Envelope {
  const message = { rid, attempt: 1, code: 'data/missing' };
  const silo = 'silo-002' as SiloId;
  return seal(consortium.founded.keyOf(silo), siloSigner(silo), 'decline', Decline, message);
}

const N = 4;
const plain = undisturbed(N);

describe('a coordinator that is killed', () => {
  const records = plain.journal.length;
  it('after any one of its journal records ends with the same sum, model and messages', () => {
    for (let at = 1; at <= records; at++) {
      const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 1 } });
      let killed = false;
      consortium.hooks.crashAfter = (count) => count === at && !killed && (killed = true);
      // The first record was written by the constructor.
      if (at === 1) consortium.restartCoordinator();
      consortium.run();
      demandWhole(consortium, N);
      expect(hex(consortium.job.modelHash)).toBe(hex(plain.job.modelHash));
    }
  });

  it('after every one of its journal records ends with the same sum, model and messages', () => {
    const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 2 } });
    let last = 0;
    consortium.hooks.crashAfter = (count) => count > last && (last = count) > 0;
    consortium.run();
    demandWhole(consortium, N);
  });

  it('while its sum is being computed, with other messages accepted since, computes it again', () => {
    const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 1 } });
    let killed = false;
    consortium.hooks.crashAfter = () => {
      const open = consortium.job.open;
      if (killed || open?.attempt.closing !== true || open.attempt.survivors !== undefined) return false;
      killed = true;
      consortium.receive('silo-002' as SiloId, { envelope: declineOf(consortium, open.plan.rid), ciphertexts: [] });
      return true;
    };
    consortium.run();
    expect(killed).toBe(true);
    demandWhole(consortium, N);
  });
});

describe('a silo that is killed', () => {
  const records = plain.silos[0]!.journal.length;
  it('after any one of its journal records resends what it had signed and ends in the sum', () => {
    for (let at = 1; at <= records; at++) {
      const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 1 } });
      const silo = consortium.silos[at % N]!;
      silo.afterRecord = (count) => {
        if (count !== at) return;
        silo.crash();
        silo.restart();
      };
      consortium.run();
      demandWhole(consortium, N);
    }
  });

  it('with all the others, after every one of their journal records, resends identical bytes', () => {
    const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 2 } });
    for (const silo of consortium.silos) {
      let last = 0;
      silo.afterRecord = (count) => {
        if (count <= last) return;
        last = count;
        silo.crash();
        silo.restart();
      };
    }
    consortium.run();
    demandWhole(consortium, N);
  });
});

describe('a silo whose policy was made stricter', () => {
  it('still folds what it accepted before, and holds the new policy from then on', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 3 }, log: true });
    consortium.run(2);
    const silo = consortium.silos[0]!;
    const { roster, keyOf, cosigningKeyOf } = consortium.founded;
    const policy = { minCohort: 50, minHonest: 40, maxMalicious: 9, roundsPerDay: 1 };
    const keys = { signingKey: keyOf(silo.id), cosigningKey: cosigningKeyOf(silo.id) };
    let state = initialSiloState({ siloId: silo.id, ...keys, roster, policy });
    for (const record of silo.journal) {
      const done = replaySilo(state, record);
      if (!done.ok) throw new Error(done.error);
      state = done.value;
    }
    expect(state.self.policy).toEqual(policy);
    silo.state = state;
    consortium.run();
    expect(silo.lastRejection).toBe('plan/floor-cohort');
    // It takes no part, and verifies what the others made.
    expect(openedIn(consortium, 3)).not.toContain(0);
    expect(jobOf(silo).closedRound).toBe(3);
  });
});
