// A sum that fails the acceptance rule (docs/protocol.md §2.6): everybody acknowledges that it is rejected, the model stays, and a silo that
// makes every round fail ends in a vote of the others, not in a frozen job.

import { describe, expect, it } from 'vitest';
import { openExclusions, seal, siloSigner } from '../../../src/protocol/index.js';
import { Ack, decode, Exclude, Outcome, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { BASE } from '../../support/memory/founding.js';
import { ofJob, order } from '../../support/memory/orders.js';
import { distinctSent, jobOf } from '../../support/memory/readings.js';
import { evict } from '../../support/memory/rosters.js';
import { judgeByHash, type Judge } from '../../support/memory/vectors.js';

const POISONER = 6;

/** As a mean that is far too long, or a weight near zero: whatever has the poisoner in it is rejected. */
const rejects: Judge = (context, opened, survivors) =>
  Math.floor((opened[0] ?? 0) / BASE ** POISONER) % BASE === 1
    ? { outcome: Outcome.OUTCOME_REJECTED, newModelHash: context.plan.modelHash }
    : judgeByHash(context, opened, survivors);

/** Seven silos of which the last spoils every sum that it is in. */
function poisoned(roundLimit: number): MemoryConsortium {
  return new MemoryConsortium(7, { manifest: { roundLimit, rejectedRoundsLimit: 2 }, judge: rejects });
}

/** The vote of one operator that the poisoner is to be heard no more. */
function vote(consortium: MemoryConsortium, voter: number, excluded = consortium.silos[POISONER]!.id): Envelope {
  const { id: siloId } = consortium.silos[voter]!;
  const { hash: manifestHash } = consortium.job.manifest;
  const message = { siloId, manifestHash, excluded, reason: 'every round with it is rejected', atUnixMs: 1n };
  return seal(consortium.founded.keyOf(siloId), siloSigner(siloId), 'exclude', Exclude, message);
}

describe('a silo that makes every round fail', () => {
  it('leaves the model where it was, is acknowledged as rejected by everybody, and pauses the job after as many rounds', () => {
    const consortium = poisoned(5);
    consortium.run();
    expect(consortium.job.status).toBe('paused');
    expect(consortium.job.closed).toHaveLength(2);
    for (const silo of consortium.silos) {
      const acks = distinctSent(silo, 'ack').map(({ payload }) => decode(Ack, 'ack', payload).outcome);
      expect(acks).toEqual([Outcome.OUTCOME_REJECTED, Outcome.OUTCOME_REJECTED]);
      expect(jobOf(silo).modelHash).toEqual(consortium.job.manifest.initialModelHash);
    }
  });

  it('is excluded by the votes of t operators, after which the job goes on without it', () => {
    const consortium = poisoned(4);
    consortium.run();
    const excluded = consortium.silos[POISONER]!.id;
    for (const voter of [0, 1, 2, 3, 4]) {
      const envelope = vote(consortium, voter);
      consortium.receive(consortium.silos[voter]!.id, { envelope, ciphertexts: [] });
    }
    expect(consortium.job.barred.get(excluded)?.code).toBe('vote/excluded');
    order(consortium, { $case: 'resumeJob', value: ofJob(consortium) });
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed.map(({ survivors }) => survivors.includes(excluded))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(jobOf(consortium.silos[0]!).modelHash).not.toEqual(consortium.job.manifest.initialModelHash);
  });

  it('stays excluded when one of those who voted is removed from the roster later', () => {
    const consortium = poisoned(6);
    consortium.run();
    for (const voter of [0, 1, 2, 3, 4])
      consortium.receive(consortium.silos[voter]!.id, { envelope: vote(consortium, voter), ciphertexts: [] });
    order(consortium, { $case: 'resumeJob', value: ofJob(consortium) });
    consortium.run(3);
    const removed = consortium.silos[4]!.id;
    evict(consortium, removed);
    consortium.run();
    expect(consortium.coordinator.self.roster.members.has(removed)).toBe(false);
    const after = consortium.job.closed.slice(3);
    expect(after.map(({ result }) => result !== undefined)).toEqual([true, true, true]);
    for (const { survivors } of after) expect(survivors).not.toContain(consortium.silos[POISONER]!.id);
    expect(consortium.silos[0]!.rejections.map(({ code }) => code)).not.toContain('envelope/unknown-signer');
  });

  it('keeps the others from the next sum as long as they have not voted: the same inputs with one silo less would tell its own', () => {
    const consortium = poisoned(4);
    consortium.run();
    const { input } = consortium.silos[POISONER]!;
    consortium.silos[POISONER]!.input = (round, length) => (round > 2 ? undefined : input(round, length));
    order(consortium, { $case: 'resumeJob', value: ofJob(consortium) });
    consortium.run();
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([true, true, false, false]);
    expect(consortium.silos[0]!.rejections.map(({ code }) => code)).toContain('confirm/input-rule');
  });
});

describe('a silo that is shown votes to exclude another', () => {
  const consortium = poisoned(1);
  const { manifest } = consortium.job;
  const opened = (...envelopes: Envelope[]): string => {
    try {
      return [...openExclusions(manifest, envelopes)].join(' ');
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const five = [0, 1, 2, 3, 4].map((voter) => vote(consortium, voter));

  it('believes t distinct ones, and fewer or repeated ones not', () => {
    expect(opened(...five)).toBe(consortium.silos[POISONER]!.id);
    expect(opened(...five.slice(1))).toBe('vote/too-few');
    expect(opened(...five.slice(1), five[1]!)).toBe('vote/too-few');
    expect(opened(...five, vote(consortium, 0, consortium.silos[5]!.id))).toBe('vote/too-few');
  });

  it('refuses votes that were changed, and those about another job', () => {
    const bad = { ...five[0]!, signature: five[1]!.signature };
    expect(opened(...five.slice(1), bad)).toBe('envelope/bad-signature');
    const { id } = consortium.silos[0]!;
    const { message, type } = { message: Exclude.decode(five[0]!.payload), type: 'exclude' as const };
    const strange = { ...message, manifestHash: new Uint8Array(32) };
    const signed = seal(consortium.founded.keyOf(id), siloSigner(id), type, Exclude, strange);
    expect(opened(...five.slice(1), signed)).toBe('vote/invalid');
  });
});
