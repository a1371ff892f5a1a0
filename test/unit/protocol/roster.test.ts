// One roster follows another (docs/protocol.md §2.2): floor(2N/3)+1 members sign it, the coordinator has no vote, and whoever was removed is
// in no later round of a job that goes on without it.

import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import {
  chainOf,
  encodeChain,
  followChain,
  openSuccession,
  readChain,
  readSuccessor,
  seal,
  successionQuorum,
} from '../../../src/protocol/index.js';
import { decodeEntry } from '../../../src/transcript/index.js';
import { decode, RoundPlan, type Envelope, type Roster as RosterMessage } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found, keyFrom, manifestOf, rosterOf, signManifest, siloNames } from '../../support/memory/founding.js';
import { jobOf } from '../../support/memory/readings.js';
import { evict, sign, signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';
import { refusedByCoordinator, refusedBySilo, refusedEvent, until } from '../../support/memory/refusals.js';

const { roster: genesis } = found(5);

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a roster that follows another', () => {
  const evicting = successorOf(genesis, without('silo-004'));
  const four = ['silo-000', 'silo-001', 'silo-002', 'silo-003'].map((silo) => signedSuccessor(genesis, silo, evicting));

  it('is in force with the signatures of floor(2N/3)+1 members', () => {
    expect(successionQuorum(genesis)).toBe(4);
    const next = openSuccession(genesis, evicting, four);
    expect(next.epoch).toBe(1n);
    expect([...next.members.keys()]).toEqual(siloNames(4));
    expect(followChain(genesis, chainOf(next)).hash).toEqual(next.hash);
    expect(readChain(genesis, encodeChain(next)).hash).toEqual(next.hash);
  });

  it('is not with fewer, whoever repeats a signature', () => {
    expect(codeOf(() => openSuccession(genesis, evicting, four.slice(1)))).toBe('roster/too-few');
    expect(codeOf(() => openSuccession(genesis, evicting, [...four.slice(1), four[1]!]))).toBe('roster/too-few');
  });

  it.each<[string, string, (roster: RosterMessage) => Partial<RosterMessage>]>([
    ['skips an epoch', 'roster/epoch', () => ({ epoch: 2n })],
    ['follows another one', 'roster/epoch', () => ({ previousRosterHash: new Uint8Array(32) })],
    ['names no predecessor', 'roster/invalid', () => ({ previousRosterHash: new Uint8Array() })],
    ['renames the consortium', 'roster/fixed', renamed],
    ['changes the key of the coordinator', 'roster/fixed', () => ({ coordinatorKey: keyFrom('other').publicKey })],
    ['gets a log', 'roster/fixed', () => ({ logKey: keyFrom('log').publicKey })],
    ['gives a member another key', 'roster/keys', (r) => withMember(r, 0, { signingKey: keyFrom('new').publicKey })],
    [
      'gives a member another cosigning key',
      'roster/keys',
      (r) => withMember(r, 0, { cosigningKey: keyFrom('new').publicKey }),
    ],
    [
      'lets a member in under another name',
      'roster/keys',
      (r) => withMember(r, 4, { siloId: 'silo-005', tlsIdentityUri: 'spiffe://test/silo/silo-005' }),
    ],
    ['has too few members', 'roster/invalid', without('silo-000', 'silo-001', 'silo-002')],
  ])('is refused when it %s', (_, code, change) => {
    expect(codeOf(() => readSuccessor(genesis, successorOf(genesis, change)))).toBe(code);
  });

  it('may add members, change officers, and take back who was removed with the keys it had', () => {
    const grown = successorOf(genesis, ({ members }) => ({
      members: [...members, ...rosterOf(siloNames(6)).members.slice(5)],
      operators: [{ id: 'otto', signingKey: keyFrom('operator/otto').publicKey }],
    }));
    expect(readSuccessor(genesis, grown).keyOf('operator/olga')).toBeUndefined();
    const next = openSuccession(genesis, evicting, four);
    const back = successorOf(next, () => ({ members: rosterOf(siloNames(5)).members }));
    expect(readSuccessor(next, back).members.size).toBe(5);
    const otherKeys = successorOf(next, () => ({
      members: withMember(rosterOf(siloNames(5)), 4, { signingKey: keyFrom('new').publicKey }).members,
    }));
    expect(codeOf(() => readSuccessor(next, otherKeys))).toBe('roster/keys');
  });

  it.each<[string, string, Envelope]>([
    [
      'about another roster',
      'roster/signature',
      signedSuccessor(genesis, 'silo-003', evicting, { rosterHash: new Uint8Array(32) }),
    ],
    ['of a stranger', 'roster/signature', signedSuccessor(genesis, 'silo-009', evicting)],
    [
      'in the name of another',
      'roster/signature',
      signedSuccessor(genesis, 'silo-003', evicting, { siloId: 'silo-004' }),
    ],
    ['for another epoch', 'roster/epoch', signedSuccessor(genesis, 'silo-003', evicting, { epoch: 2n })],
    ['of another type', 'envelope/wrong-type', { ...four[3]!, type: 'approval' }],
    ['with a changed bit', 'envelope/bad-signature', { ...four[3]!, signature: new Uint8Array(64) }],
  ])('is refused with a signature %s', (_, code, envelope) => {
    expect(codeOf(() => openSuccession(genesis, evicting, [...four.slice(0, 3), envelope]))).toBe(code);
  });

  it('may be the one that a member pins, which knows nothing of those before it', () => {
    const next = openSuccession(genesis, evicting, four);
    const joined = { ...next, succeeds: undefined };
    expect(followChain(joined, chainOf(next))).toBe(joined);
    const other = openSuccession(genesis, successorOf(genesis, without('silo-003')), [
      ...['silo-000', 'silo-001', 'silo-002', 'silo-004'].map((silo) =>
        signedSuccessor(genesis, silo, successorOf(genesis, without('silo-003'))),
      ),
    ]);
    expect(codeOf(() => followChain(joined, chainOf(other)))).toBe('roster/epoch');
  });
});

function renamed(roster: RosterMessage): Partial<RosterMessage> {
  const members = roster.members.map((one) => ({
    ...one,
    tlsIdentityUri: one.tlsIdentityUri.replace('test', 'toast'),
  }));
  return { consortiumId: 'toast', members };
}

function withMember(
  roster: RosterMessage,
  at: number,
  change: Partial<RosterMessage['members'][number]>,
): RosterMessage {
  return { ...roster, members: roster.members.map((one, i) => (i === at ? { ...one, ...change } : one)) };
}

describe('a consortium that removes a silo', () => {
  const last = siloNames(5)[4]!;

  it.each([false, true])('goes on with its job without it, from the next round on (log: %s)', (log) => {
    const consortium = new MemoryConsortium(5, { log });
    consortium.run(1);
    const roster = evict(consortium, last);
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed.map(({ plan }) => [plan.roster.epoch, plan.n])).toEqual([
      [0n, 5],
      [1n, 4],
      [1n, 4],
    ]);
    for (const silo of consortium.silos.slice(0, 4)) {
      expect(silo.state.self.roster.hash).toEqual(hash(LABELS.roster, roster));
      expect(jobOf(silo).closedRound).toBe(3);
      silo.restart();
      expect(silo.state.self.roster.epoch).toBe(1n);
    }
    consortium.restartCoordinator();
    expect(consortium.coordinator.self.roster.epoch).toBe(1n);
    const kinds = consortium.log
      .map((bytes) => decodeEntry(bytes))
      .filter(({ kind }) => kind === 'roster' || kind === 'successor');
    if (log)
      expect(kinds.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
        'roster coordinator',
        ...siloNames(4).map((silo) => `successor silo/${silo}`),
        'roster coordinator',
      ]);
  });

  it('bites in the round that is open: it ends without the silo, under the epoch of its plan', () => {
    const consortium = new MemoryConsortium(5);
    until(consortium, 'keys', 0);
    evict(consortium, last);
    consortium.run(1);
    const [round] = consortium.job.closed;
    expect(round!.plan.roster.epoch).toBe(0n);
    expect(round!.plan.cohort).toContain(last);
    expect(round!.survivors).not.toContain(last);
    consortium.run();
    expect(consortium.job.status).toBe('completed');
  });

  it('hears it no more, nor lets it sign', () => {
    const consortium = new MemoryConsortium(5);
    consortium.run(1);
    const ack = jobOf(consortium.silos[4]!).acks.get(1)!;
    evict(consortium, last);
    expect(refusedByCoordinator(consortium, last, ack)).toBe('roster/not-a-member');
    const { roster } = consortium.coordinator.self;
    const next = successorOf(roster, without('silo-003'));
    expect(codeOf(() => openSuccession(roster, next, [signedSuccessor(roster, last, next)]))).toBe('roster/signature');
  });

  it('ends a job that too few silos are left for, and says so', () => {
    const consortium = new MemoryConsortium(5, { manifest: { minCohort: 5 } });
    consortium.run(1);
    evict(consortium, last);
    consortium.run();
    expect(consortium.job.status).toBe('ended');
    expect(consortium.job.reason).toMatch(/^4 of its 5 silos are left in the roster/);
  });

  it('tells a silo that was away, which then goes on', () => {
    const consortium = new MemoryConsortium(6);
    consortium.run(1);
    const away = consortium.silos[0]!;
    away.crash();
    const evicted = siloNames(6)[5]!;
    const roster = successorOf(consortium.coordinator.self.roster, without(evicted));
    // Five of six must: the silo that goes has its say, too.
    [1, 2, 3, 4, 5].forEach((index) => {
      sign(consortium, index, roster, index === 1);
    });
    consortium.run(2);
    away.restart();
    consortium.run();
    expect(away.state.self.roster.epoch).toBe(1n);
    expect(jobOf(away).closedRound).toBe(3);
    expect(consortium.job.closed[2]!.plan.cohort).toContain(away.id);
  });

  it('takes no job and no order that was made under the roster before', () => {
    const consortium = new MemoryConsortium(5);
    const { founded } = consortium;
    consortium.run(1);
    evict(consortium, last);
    const manifest = signManifest(founded, manifestOf(founded, { jobId: 'job-2' }));
    expect(refusedEvent(consortium, { $case: 'jobCreated', value: { manifest } })).toBe('manifest/wrong-roster');
    const { roster } = consortium.coordinator.self;
    const silos = [...roster.members.keys()];
    const renewed = manifestOf(founded, { jobId: 'job-2', rosterHash: roster.hash, silos });
    expect(refusedEvent(consortium, { $case: 'jobCreated', value: { manifest: signManifest(founded, renewed) } })).toBe(
      'accepted',
    );
  });
});

describe('signing a successor', () => {
  it('is done once for each epoch, and no restart forgets it', () => {
    const consortium = new MemoryConsortium(5);
    consortium.run(1);
    const silo = consortium.silos[0]!;
    const present = consortium.coordinator.self.roster;
    const one = successorOf(present, without('silo-004'));
    const other = successorOf(present, without('silo-003'));
    sign(consortium, 0, one, true);
    const sent = silo.sent.length;
    sign(consortium, 0, one, true);
    expect(silo.sent).toHaveLength(sent + 1);
    for (const restarts of [false, true]) {
      if (restarts) silo.restart();
      const rejections = silo.rejections.length;
      sign(consortium, 0, other, true);
      expect(silo.rejections[rejections]?.code).toBe('roster/second-successor');
    }
    // A silo that does it all the same has signed two things that contradict each other.
    expect(refusedByCoordinator(consortium, silo.id, signedSuccessor(present, silo.id, other))).toBe(
      'roster/second-successor',
    );
    expect(consortium.rejections.at(-1)?.rejection.evidence).toHaveLength(2);
  });

  it('is of a roster that somebody has proposed, by a silo in its own name', () => {
    const consortium = new MemoryConsortium(5);
    const present = consortium.coordinator.self.roster;
    const roster = successorOf(present, without('silo-004'));
    const empty = { roster: new Uint8Array() };
    expect(
      refusedByCoordinator(consortium, siloNames(1)[0]!, signedSuccessor(present, 'silo-000', roster, empty)),
    ).toBe('roster/unknown');
    const forOther = signedSuccessor(present, 'silo-001', roster);
    expect(refusedByCoordinator(consortium, siloNames(1)[0]!, forOther)).toBe('envelope/wrong-signer');
    expect(
      refusedByCoordinator(
        consortium,
        siloNames(1)[0]!,
        signedSuccessor(present, 'silo-000', roster, { rosterHash: present.hash }),
      ),
    ).toBe('accepted');
  });

  it('keeps no proposal that nobody has signed', () => {
    const { silos, coordinator } = new MemoryConsortium(5);
    const [silo] = silos;
    const roster = successorOf(coordinator.self.roster, without('silo-004'));
    silo!.feed({ $case: 'rosterProposed', value: { roster, signatures: [] } });
    expect(silo!.rejections.map(({ code }) => code)).toEqual(['roster/too-few']);
  });

  it('shows a proposal to every member, which nobody signs by itself', () => {
    const consortium = new MemoryConsortium(5);
    consortium.run(1);
    const roster = successorOf(consortium.coordinator.self.roster, without('silo-004'));
    sign(consortium, 0, roster, true);
    consortium.run();
    for (const silo of consortium.silos) {
      expect([...silo.told].some((name) => name.startsWith('rosterProposed '))).toBe(true);
      expect(silo.state.self.roster.epoch).toBe(0n);
    }
    expect([...consortium.coordinator.proposals.keys()]).toEqual([hex(hash(LABELS.roster, roster))]);
  });
});

describe('a silo that has taken a roster', () => {
  it('joins no round that is planned under the one before', () => {
    const consortium = new MemoryConsortium(5);
    consortium.run(1);
    const { silo, value } = until(consortium, 'start', 0);
    const present = silo.state.self.roster;
    const roster = successorOf(present, without('silo-004'));
    const signatures = siloNames(4).map((one) => signedSuccessor(present, one, roster));
    silo.feed({ $case: 'rosterTaken', value: { roster, signatures } });
    expect(silo.state.self.roster.epoch).toBe(1n);
    expect(refusedBySilo(silo, { $case: 'start', value })).toBe('plan/roster-epoch');
    // Nor one under its own epoch with a silo that this one does not have.
    const plan = decode(RoundPlan, 'plan', value.plan!.payload);
    const { coordinatorKey } = consortium.founded;
    const packed = seal(coordinatorKey, 'coordinator', 'plan', RoundPlan, { ...plan, rosterEpoch: 1n });
    expect(refusedBySilo(silo, { $case: 'start', value: { ...value, plan: packed } })).toBe('plan/invalid');
  });

  it('never takes another one of the same epoch, and is told of the same one without harm', () => {
    const consortium = new MemoryConsortium(5);
    const silo = consortium.silos[0]!;
    const present = silo.state.self.roster;
    const one = successorOf(present, without('silo-004'));
    const other = successorOf(present, without('silo-003'));
    const all = (roster: Uint8Array) => siloNames(4).map((id) => signedSuccessor(present, id, roster));
    silo.feed({ $case: 'rosterTaken', value: { roster: one, signatures: all(one) } });
    expect(refusedBySilo(silo, { $case: 'roster', value: { roster: one, signatures: all(one) } })).toBe('accepted');
    expect(refusedBySilo(silo, { $case: 'roster', value: { roster: other, signatures: all(other) } })).toBe(
      'roster/epoch',
    );
    expect(refusedBySilo(silo, { $case: 'roster', value: { roster: present.payload, signatures: [] } })).toBe(
      'accepted',
    );
  });
});
