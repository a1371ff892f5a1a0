// The state of a silo between rounds, written down whole: what is folded from it is what was folded from everything, and no secret of a
// closed round is in it.

import { describe, expect, it } from 'vitest';
import { hex, unixMs } from '../../../src/base/index.js';
import {
  advanceSilo,
  encodeChain,
  encodeSnapshot,
  initialSiloState,
  keptAs,
  replaySilo,
  type Roster,
  type SiloState,
} from '../../../src/protocol/index.js';
import { decodeEntry } from '../../../src/transcript/index.js';
import { ActionStatement, decode, encode, Erasure, SiloRecord } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy, siloNames } from '../../support/memory/founding.js';
import { allBut, jobOf, openedIn } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until } from '../../support/memory/refusals.js';
import { evict, sign, signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';
import type { MemorySilo } from '../../support/memory/silo.js';

/** Folds what would be written in place of the journal. Returns the state and the records. */
function keep(silo: MemorySilo, at: number): { state: SiloState; records: Uint8Array[] } {
  let { state } = silo;
  const records: Uint8Array[] = [];
  for (const event of keptAs(state)) {
    const done = advanceSilo(state, { at: unixMs(at), event });
    if (!('accepted' in done)) throw new Error(done.rejected.detail);
    state = done.accepted.state;
    const emitted = done.accepted.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : []));
    records.push(encode(SiloRecord, { version: 1, atUnixMs: BigInt(at), emitted, event }));
  }
  return { state, records };
}

/** Erases what a silo has in its journal, as its agent does, and starts it again from what is left. */
function forget(consortium: MemoryConsortium, silo: MemorySilo): void {
  const { records } = keep(silo, consortium.time);
  silo.journal.splice(0, silo.journal.length, ...records);
  silo.restart();
}

/** What a program that has read this roster makes of the records. */
function folded(silo: MemorySilo, pinned: Roster, records: readonly Uint8Array[]): SiloState {
  let state = initialSiloState({ ...silo.state.self, roster: pinned });
  for (const bytes of records) {
    const done = replaySilo(state, bytes);
    if (!done.ok) throw new Error(done.error);
    state = done.value;
  }
  return state;
}

/** Until so many rounds are closed in every silo, and none is open in any: the next one is held back. */
function between(consortium: MemoryConsortium, rounds: number): void {
  consortium.run(rounds);
  consortium.hooks.deliver = (_, { body }) => body?.$case !== 'start';
  consortium.settle();
  delete consortium.hooks.deliver;
}

const policy = {
  ...openPolicy,
  budgets: new Map([['records', { epsilon: 1, delta: 1e-5, withoutNoise: true }]]),
};

describe('a snapshot', () => {
  it('gives the state that it was made of, after every round and for every silo', () => {
    const consortium = new MemoryConsortium(4, { log: true, policy, manifest: { roundLimit: 3 } });
    for (let round = 0; round <= 4; round++) {
      consortium.run(round);
      consortium.settle();
      for (const silo of consortium.silos) {
        if ([...silo.state.jobs.values()].some(({ open }) => open !== undefined)) continue;
        const { records } = keep(silo, consortium.time);
        const state = folded(silo, silo.state.self.roster, records);
        const { erased, ...rest } = state;
        const { erased: _, ...before } = silo.state;
        expect(rest).toEqual(before);
        expect(hex(encodeSnapshot({ ...before }))).toBe(hex(encodeSnapshot({ ...rest })));
        expect(erased?.type).toBe('erasure');
      }
    }
  });

  it('lets a job go on as if nothing had been forgotten, with absences, retries and restarts', () => {
    const consortium = new MemoryConsortium(4, { log: true, policy, manifest: { roundLimit: 4 } });
    consortium.hooks.arrive = (silo, { type }) => {
      const { open } = consortium.job;
      if (open?.plan.round === 2 && silo.id === 'silo-003' && type === 'masked-header') return false;
      return !(open?.plan.round === 3 && open.attempt.context.attempt.attempt === 1 && type === 'masked-header');
    };
    for (let round = 1; round <= 4; round++) {
      consortium.run(round);
      consortium.settle();
      for (const silo of consortium.silos)
        if ([...silo.state.jobs.values()].every(({ open }) => open === undefined)) forget(consortium, silo);
    }
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 1]);
    expect(openedIn(consortium, 1)).toEqual(allBut(4));
    expect(openedIn(consortium, 2)).toEqual(allBut(4, 3));
    for (const { acks } of consortium.job.closed) expect(acks.size).toBe(4);
    for (const silo of consortium.silos)
      expect(silo.rejections.filter(({ code }) => code === 'log/rolled-back')).toEqual([]);
  });

  it('holds no secret of a round, which the records before it do', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    consortium.run();
    const [silo] = consortium.silos;
    const secrets = silo!.journal.flatMap((bytes) => {
      const { event } = decode(SiloRecord, 'record', bytes, 1 << 24);
      return event?.$case === 'attemptStarted' ? [hex(event.value.rho), hex(event.value.roundSecret)] : [];
    });
    expect(secrets.length).toBeGreaterThan(1);
    const whole = (records: readonly Uint8Array[]): string => records.map((bytes) => hex(bytes)).join('');
    for (const secret of secrets) {
      expect(whole(silo!.journal)).toContain(secret);
      expect(whole(keep(silo!, consortium.time).records)).not.toContain(secret);
    }
  });

  it('is refused while a round is open', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const { silo } = until(consortium, 'keys', 1);
    expect(() => keptAs(silo.state)).toThrow(expect.objectContaining({ code: 'job/state' }));
  });

  it('of another silo is not taken', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    consortium.run();
    const [one, other] = consortium.silos;
    const [event] = keptAs(one!.state);
    const done = (): unknown => advanceSilo(other!.state, { at: unixMs(1), event: event! });
    expect(done).toThrow('the snapshot is of "silo-000"');
  });
});

describe('a snapshot of a silo whose roster changes', () => {
  it('keeps the signature on a successor, so that no other one is signed for that epoch', () => {
    const consortium = new MemoryConsortium(5, { log: true });
    between(consortium, 1);
    const silo = consortium.silos[0]!;
    const present = silo.state.self.roster;
    const one = successorOf(present, without('silo-004'));
    sign(consortium, 0, one, true);
    const { successor } = silo.state;
    expect(successor).toBeDefined();
    forget(consortium, silo);
    expect(silo.state.successor).toEqual(successor);
    expect(silo.state.self.roster.epoch).toBe(0n);
    const rejections = silo.rejections.length;
    sign(consortium, 0, successorOf(present, without('silo-003')), true);
    expect(silo.rejections[rejections]?.code).toBe('roster/second-successor');
    const sent = silo.sent.length;
    sign(consortium, 0, one, true);
    expect(silo.sent.slice(sent)).toEqual([successor?.envelope]);
    // Taken after the restart as if nothing had been forgotten.
    const signatures = siloNames(4).map((id) => signedSuccessor(present, id, one));
    silo.feed({ $case: 'rosterTaken', value: { roster: one, signatures } });
    expect(silo.state.self.roster.epoch).toBe(1n);
    expect(silo.state.successor).toBeUndefined();
  });

  it('keeps the roster in force with all that make it so, and the job that goes on under it', () => {
    const consortium = new MemoryConsortium(5, { log: true, manifest: { roundLimit: 5 } });
    consortium.run(1);
    const pinned = consortium.coordinator.self.roster;
    evict(consortium, 'silo-004');
    between(consortium, 2);
    const other = successorOf(pinned, without('silo-003'));
    const signatures = ['silo-000', 'silo-001', 'silo-002', 'silo-004'].map((id) => signedSuccessor(pinned, id, other));
    expect(consortium.job.status).toBe('running');
    for (const silo of consortium.silos.slice(0, 4)) {
      const { erased: _, ...before } = silo.state;
      expect([before.self.roster.epoch, before.successor, jobOf(silo).epoch]).toEqual([1n, undefined, 1n]);
      const { erased, ...after } = folded(silo, pinned, keep(silo, consortium.time).records);
      expect(erased?.type).toBe('erasure');
      expect(hex(encodeChain(after.self.roster))).toBe(hex(encodeChain(before.self.roster)));
      expect(hex(encodeSnapshot(after))).toBe(hex(encodeSnapshot(before)));
      forget(consortium, silo);
      expect(jobOf(silo).manifest.roster.epoch).toBe(0n);
      expect(refusedBySilo(silo, { $case: 'roster', value: { roster: other, signatures } })).toBe('roster/epoch');
      // A snapshot that is made of one.
      forget(consortium, silo);
      expect([silo.state.self.roster.epoch, jobOf(silo).epoch]).toEqual([1n, 1n]);
    }
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed.map(({ plan }) => plan.roster.epoch)).toEqual([0n, 1n, 1n, 1n, 1n]);
  });
});

describe('the log', () => {
  it('holds an erasure once, however often it is told, and not more than one in ten minutes', () => {
    const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 1 } });
    consortium.run();
    const [silo] = consortium.silos;
    const erasures = () => consortium.log.map((bytes) => decodeEntry(bytes)).filter(({ kind }) => kind === 'erasure');
    const first = keep(silo!, consortium.time).state.erased!;
    expect(decode(Erasure, 'erasure', first.payload).closed).toEqual([{ jobId: 'job-1', round: 1 }]);
    for (let k = 0; k < 3; k++) consortium.receive(silo!.id, { envelope: first, ciphertexts: [] });
    const second = keep(silo!, consortium.time + 1).state.erased!;
    expect(refusedByCoordinator(consortium, silo!.id, second)).toBe('accepted');
    expect(erasures()).toHaveLength(1);
    expect(erasures()[0]).toMatchObject({ subject: 'silo/silo-000', job: '', round: 0 });
    const { action } = decode(ActionStatement, 'statement', erasures()[0]!.body.bytes);
    expect(action).toBe('erase-round-secrets');
    consortium.time += 10 * 60_000;
    consortium.receive(silo!.id, { envelope: second, ciphertexts: [] });
    expect(erasures()).toHaveLength(2);
  });

  it('takes no erasure in the name of another', () => {
    const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 1 } });
    consortium.run();
    const [one, other] = consortium.silos;
    const { erased } = keep(one!, consortium.time).state;
    expect(refusedByCoordinator(consortium, other!.id, erased)).toBe('envelope/wrong-signer');
  });
});
