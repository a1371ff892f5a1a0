// Votes of the silos' operators (docs/protocol.md §2.9): a silo is heard no more, a job goes on from an earlier model, and nothing less
// than t distinct silos decides.

import { describe, expect, it } from 'vitest';
import { seal, siloSigner, votesNeeded } from '../../../src/protocol/index.js';
import { Exclude, Rollback, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo } from '../../support/memory/refusals.js';

function excludeVote(consortium: MemoryConsortium, voter: number, changes: Partial<Exclude> = {}): Envelope {
  const silo = consortium.silos[voter]!;
  return seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'exclude', Exclude, {
    siloId: silo.id,
    manifestHash: consortium.job.manifest.hash,
    excluded: consortium.silos.at(-1)!.id,
    reason: 'its updates make every round fail',
    atUnixMs: 1n,
    ...changes,
  });
}

function rollbackVote(consortium: MemoryConsortium, voter: number, changes: Partial<Rollback> = {}): Envelope {
  const silo = consortium.silos[voter]!;
  const { manifest, previousResultHash, closed } = consortium.job;
  return seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'rollback', Rollback, {
    siloId: silo.id,
    manifestHash: manifest.hash,
    afterHash: previousResultHash,
    baseRound: 1,
    baseModelHash: closed[0]!.result!.newModelHash,
    reason: 'the model of round 2 is worse',
    atUnixMs: 1n,
    ...changes,
  });
}

function cast(consortium: MemoryConsortium, envelope: Envelope): string {
  const before = consortium.rejections.length;
  const id = consortium.silos.find((silo) => siloSigner(silo.id) === envelope.signer)!.id;
  consortium.receive(id, { envelope, ciphertexts: [] });
  return consortium.rejections[before]?.rejection.code ?? 'accepted';
}

describe('votes to exclude a silo', () => {
  it('take t distinct silos, and then the silo is heard no more while the job goes on', () => {
    const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 2 } });
    const last = consortium.silos.at(-1)!.id;
    consortium.run(1);
    expect(votesNeeded(consortium.job.manifest)).toBe(5);
    for (const voter of [0, 1, 2, 3]) expect(cast(consortium, excludeVote(consortium, voter))).toBe('accepted');
    expect(cast(consortium, excludeVote(consortium, 3))).toBe('accepted');
    expect(consortium.job.barred.has(last)).toBe(false);
    expect(cast(consortium, excludeVote(consortium, 4))).toBe('accepted');
    expect(consortium.job.barred.get(last)).toMatchObject({ code: 'vote/excluded' });
    expect(consortium.job.barred.get(last)?.evidence).toHaveLength(5);
    consortium.run();
    expect(consortium.job.closed.map(({ survivors }) => survivors.includes(last))).toEqual([true, false]);
    expect(consortium.job.closed[1]?.result).toBeDefined();
  });

  it('are refused from strangers, about strangers and in the name of others', () => {
    const consortium = new MemoryConsortium(5, {
      manifest: { silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'], roundLimit: 1 },
    });
    consortium.run(1);
    const stranger = consortium.silos[4]!.id;
    expect(cast(consortium, excludeVote(consortium, 4, { excluded: 'silo-000' }))).toBe('vote/invalid');
    expect(cast(consortium, excludeVote(consortium, 0, { excluded: stranger }))).toBe('vote/invalid');
    expect(cast(consortium, excludeVote(consortium, 0, { siloId: 'silo-001', excluded: 'silo-002' }))).toBe(
      'vote/invalid',
    );
  });

  it('of one silo are one, and another one in its place is refused', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    consortium.run(1);
    expect(cast(consortium, excludeVote(consortium, 0))).toBe('accepted');
    expect(cast(consortium, excludeVote(consortium, 0, { atUnixMs: 2n }))).toBe('message/conflict');
  });
});

describe('votes to go back to an earlier model', () => {
  /** Two of three rounds are over, and the third does not begin: a silo is away until the votes are in. */
  function afterTwo(log = false): MemoryConsortium {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 3 }, log });
    consortium.run(2);
    return consortium;
  }

  it.each([false, true])('take t distinct silos; then the next round starts from that model (log: %s)', (log) => {
    const consortium = afterTwo(log);
    const base = consortium.job.closed[0]!.result!.newModelHash;
    expect(consortium.job.open).toBeUndefined();
    const votes = [0, 1, 2].map((voter) => rollbackVote(consortium, voter));
    expect(votes.map((vote) => cast(consortium, vote))).toEqual(['accepted', 'accepted', 'accepted']);
    expect(consortium.job.modelHash).toEqual(base);
    consortium.run();
    expect(consortium.job.closed).toHaveLength(3);
    expect(consortium.job.closed[2]!.plan.modelHash).toEqual(base);
    expect(consortium.job.closed[2]!.result).toBeDefined();
    for (const silo of consortium.silos) {
      expect(jobOf(silo).closedRound).toBe(3);
      expect(silo.notices.map(({ code }) => code)).toContain('vote/rolled-back');
      silo.restart();
      expect(jobOf(silo).rollbacks).toHaveLength(1);
    }
    consortium.restartCoordinator();
    expect(consortium.job.rollbacks).toHaveLength(1);
  });

  it('are refused after another round has ended, for a model that is not that of the round, and while a round is open', () => {
    const consortium = afterTwo();
    const first = consortium.job.closed[0]!;
    expect(cast(consortium, rollbackVote(consortium, 0, { afterHash: first.terminalHash }))).toBe('vote/invalid');
    expect(cast(consortium, rollbackVote(consortium, 0, { baseModelHash: new Uint8Array(32) }))).toBe('vote/invalid');
    expect(cast(consortium, rollbackVote(consortium, 0, { baseRound: 9 }))).toBe('vote/invalid');
    const late = rollbackVote(consortium, 0);
    consortium.settle();
    consortium.time += 60_000;
    consortium.settle();
    if (consortium.job.open !== undefined)
      expect(refusedByCoordinator(consortium, consortium.silos[0]!.id, late)).toBe('job/state');
  });

  it('are not believed by a silo when they are too few, repeated, of strangers, or for different models', () => {
    const consortium = afterTwo();
    const silo = consortium.silos[3]!;
    const [a, b] = [0, 1].map((voter) => rollbackVote(consortium, voter));
    const told = (...votes: Envelope[]): string => refusedBySilo(silo, { $case: 'rollback', value: { votes } });
    expect(told(a!, b!)).toBe('vote/too-few');
    expect(told(a!, b!, a!, b!)).toBe('vote/too-few');
    const other = rollbackVote(consortium, 2, { baseRound: 0 });
    expect(told(a!, b!, other)).toBe('vote/invalid');
    const unknown = [0, 1, 2].map((voter) => rollbackVote(consortium, voter, { baseModelHash: new Uint8Array(32) }));
    expect(told(...unknown)).toBe('vote/invalid');
  });
});
