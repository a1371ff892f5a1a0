// Aborts, release queries and answers, protests, abandonment: what silo and coordinator refuse of them (docs/protocol.md §2.4).

import { describe, expect, it } from 'vitest';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { deadAfterAborts, seal, siloSigner } from '../../../src/protocol/index.js';
import {
  Abandon,
  Abort,
  AttemptStart,
  Protest,
  ReleaseAnswer,
  ReleaseQuery,
  RoundPlan,
  type Envelope,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { byCoordinator, bySilo, distinctSent, jobOf } from '../../support/memory/readings.js';
import { otherBytes, refusedByCoordinator, refusedBySilo, until } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

function abortOf(consortium: MemoryConsortium, silo: MemorySilo, change: Partial<Abort> = {}): Envelope {
  const { plan } = consortium.job.open!;
  const message = {
    jobId: plan.jobId,
    rid: plan.rid,
    attempt: 1,
    phase: 'mask',
    code: 'data/missing',
    evidence: [],
    ...change,
  };
  return seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'abort', Abort, message);
}

describe('the coordinator that is handed an Abort', () => {
  const consortium = new MemoryConsortium(5, {
    manifest: { roundLimit: 1, silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'] },
  });
  const { silo } = until(consortium, 'confirm', 1);
  const handed = (envelope: Envelope, from = silo): string => refusedByCoordinator(consortium, from.id, envelope);

  it('refuses one of an attempt that has not been', () => {
    expect(handed(abortOf(consortium, silo, { attempt: 2 }))).toBe('abort/invalid');
    expect(handed(abortOf(consortium, silo, { attempt: 0 }))).toBe('abort/invalid');
  });
  it('refuses one of another job', () => {
    expect(handed(abortOf(consortium, silo, { jobId: 'job-2' }))).toBe('abort/invalid');
  });
  it('answers one of a round that is not open as late', () => {
    expect(handed(abortOf(consortium, silo, { rid: new Uint8Array(32) }))).toBe('message/late');
  });
  it('refuses one of a silo that is not in the cohort', () => {
    const stranger = consortium.silos[4]!;
    expect(handed(abortOf(consortium, stranger), stranger)).toBe('message/unexpected');
  });
  it('keeps the first one of an attempt, however many follow', () => {
    const first = abortOf(consortium, silo);
    consortium.receive(silo.id, { envelope: first, ciphertexts: [] });
    const { notes } = consortium.job.open!;
    expect(handed(first)).toBe('accepted');
    for (let k = 0; k < 5; k++)
      expect(handed(abortOf(consortium, silo, { code: `data/other-${k}` }))).toBe('message/conflict');
    expect(consortium.job.open!.notes).toBe(notes);
  });
  it('puts no more than a short text of it into its notes', () => {
    const chatty = consortium.silos[2]!;
    const envelope = abortOf(consortium, chatty, { code: 'x'.repeat(10_000), phase: 'y'.repeat(10_000) });
    consortium.receive(chatty.id, { envelope, ciphertexts: [] });
    expect(consortium.job.open!.notes.at(-1)!.length).toBeLessThan(200);
  });
});

describe('a release query', () => {
  const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
  consortium.hooks.deliver = (_, { body }) => body?.$case !== 'unmask';
  const { silo, value } = until(consortium, 'releaseQuery', 1);
  const { plan } = consortium.job.open!;
  const answer = (change: Partial<ReleaseAnswer>): Envelope =>
    seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'release-answer', ReleaseAnswer, {
      rid: plan.rid,
      attempt: 1,
      unmask: undefined,
      consistency: [],
      request: undefined,
      ...change,
    });

  it('is refused by a silo when the coordinator did not sign it', () => {
    const query = seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'release-query', ReleaseQuery, {
      rid: plan.rid,
      attempt: 1,
    });
    expect(refusedBySilo(silo, { $case: 'releaseQuery', value: { query } })).toBe('envelope/wrong-signer');
  });
  it('is answered without a trace in the journal, and not at all for a round that is not open', () => {
    const before = silo.sent.length;
    expect(refusedBySilo(silo, { $case: 'releaseQuery', value })).toBe('accepted');
    expect(silo.sent.at(-1)!.type).toBe('release-answer');
    expect(ReleaseAnswer.decode(silo.sent.at(-1)!.payload).unmask).toBeUndefined();
    const query = byCoordinator(consortium.founded, value.query!, ReleaseQuery, () => ({ rid: new Uint8Array(32) }));
    expect(refusedBySilo(silo, { $case: 'releaseQuery', value: { query } })).toBe('accepted');
    expect(silo.sent).toHaveLength(before + 1);
  });
  it('has one answer of each silo; another attempt is late, other bytes a conflict', () => {
    expect(refusedByCoordinator(consortium, silo.id, answer({ attempt: 2 }))).toBe('message/late');
    const known = consortium.job.open!.attempt.answers.get(1) ?? answer({});
    consortium.receive(silo.id, { envelope: known, ciphertexts: [] });
    expect(refusedByCoordinator(consortium, silo.id, known)).toBe('accepted');
    expect(refusedByCoordinator(consortium, silo.id, answer({ consistency: [known] }))).toBe('message/conflict');
  });
  it('is answered too late once nobody is being asked', () => {
    const one = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    until(one, 'confirm', 1);
    const { rid } = one.job.open!.plan;
    const early = seal(one.founded.keyOf(silo.id), siloSigner(silo.id), 'release-answer', ReleaseAnswer, {
      rid,
      attempt: 1,
      unmask: undefined,
      consistency: [],
      request: undefined,
    });
    expect(refusedByCoordinator(one, silo.id, early)).toBe('message/late');
  });
  it('is not fooled by a claim of release in an attempt in which nobody was asked to release', () => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    one.hooks.deliver = ({ index }, { body }) => !(body?.$case === 'confirm' && index < 2);
    const { silo: liar, value: asked } = until(one, 'releaseQuery', 3);
    const { query } = asked;
    const { rid } = ReleaseQuery.decode(query!.payload);
    const { survivors } = one.job.open!.attempt;
    const unmask = bySilo(
      one.founded,
      liar.id,
      { ...query!, type: 'unmask', signer: siloSigner(liar.id), payload: new Uint8Array() },
      ReleaseQuery,
      () => ({}),
    );
    const claim = seal(one.founded.keyOf(liar.id), siloSigner(liar.id), 'release-answer', ReleaseAnswer, {
      rid,
      attempt: 1,
      unmask,
      consistency: [],
      request: survivors!.request,
    });
    expect(refusedByCoordinator(one, liar.id, claim)).toBe('abort/invalid');
  });
});

describe('a Protest', () => {
  it('is kept once for each silo and attempt; of an attempt that is not open it is late', () => {
    const one = new MemoryConsortium(5, {
      manifest: { roundLimit: 1, silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'] },
    });
    const { silo } = until(one, 'confirm', 1);
    const { t2 } = one.job.open!.attempt.dealers!;
    const protest = (from: MemorySilo, change: Partial<Protest> = {}): Envelope =>
      seal(one.founded.keyOf(from.id), siloSigner(from.id), 'protest', Protest, {
        t2,
        receipt: undefined,
        request: undefined,
        ...change,
      });
    expect(refusedByCoordinator(one, silo.id, protest(silo, { t2: new Uint8Array(32) }))).toBe('message/late');
    const stranger = one.silos[4]!;
    expect(refusedByCoordinator(one, stranger.id, protest(stranger))).toBe('message/unexpected');
    one.receive(silo.id, { envelope: protest(silo), ciphertexts: [] });
    const { notes } = one.job.open!;
    expect(refusedByCoordinator(one, silo.id, protest(silo))).toBe('accepted');
    const other = protest(silo, { receipt: one.job.open!.attempt.receipts.get(1) });
    expect(refusedByCoordinator(one, silo.id, other)).toBe('message/conflict');
    expect(one.job.open!.notes).toBe(notes);
  });
});

describe('a silo that is told of an abandonment', () => {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
  consortium.hooks.deliver = (_, { body }) => body?.$case !== 'keys';
  const { silo, value } = until(consortium, 'abandon', 1);
  const { founded } = consortium;
  const told = (abandon: Partial<Abandon>, plan: Partial<RoundPlan> = {}): string => {
    const changed =
      Object.keys(plan).length === 0 ? value.plan! : byCoordinator(founded, value.plan!, RoundPlan, () => plan);
    const envelope = byCoordinator(founded, value.abandon!, Abandon, () => ({
      rid: hash(LABELS.plan, changed.payload),
      ...abandon,
    }));
    return refusedBySilo(silo, { $case: 'abandon', value: { ...value, abandon: envelope, plan: changed } });
  };

  it('refuses one of another round than the plan it came with', () => {
    expect(told({ round: 2 })).toBe('abandon/invalid');
    expect(told({ jobId: 'job-2' })).toBe('abandon/invalid');
    expect(told({ rid: new Uint8Array(32) })).toBe('abandon/invalid');
  });
  it('refuses one of a round that is not the next', () => {
    expect(told({ round: 2 }, { round: 2 })).toBe('result/order');
  });
  it('refuses one of another plan than the accepted one', () => {
    expect(told({}, { modelHash: new Uint8Array(32) })).toBe('plan/second-plan');
  });
  it('refuses one that does not follow from what it verified itself', () => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const { silo: fresh, value: begun } = until(one, 'start', 1);
    const plan = byCoordinator(one.founded, begun.plan!, RoundPlan, () => ({
      previousResultHash: new Uint8Array(32).fill(1),
    }));
    const abandon = seal(one.founded.coordinatorKey, 'coordinator', 'abandon', Abandon, {
      jobId: 'job-1',
      rid: hash(LABELS.plan, plan.payload),
      round: 1,
      reason: '',
      proof: [],
    });
    expect(refusedBySilo(fresh, { $case: 'abandon', value: { abandon, plan, checkpoint: new Uint8Array() } })).toBe(
      'plan/previous-result',
    );
  });
  it('refuses one that the coordinator did not sign', () => {
    const abandon = { ...value.abandon!, signature: new Uint8Array(64) };
    expect(refusedBySilo(silo, { $case: 'abandon', value: { ...value, abandon } })).toBe('envelope/bad-signature');
  });
  it('answers the same one again with the same Ack', () => {
    silo.handle({ sequence: 1n, body: { $case: 'abandon', value } });
    expect(refusedBySilo(silo, { $case: 'abandon', value })).toBe('accepted');
    expect(distinctSent(silo, 'ack')).toHaveLength(1);
    expect(jobOf(silo).closedRound).toBe(1);
  });
});

describe('proof that an attempt is dead', () => {
  /** A silo that released in attempt 1, and the start of attempt 2. */
  const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 1 } });
  const attemptOf = (): number => consortium.job.open!.attempt.context.attempt.attempt;
  consortium.hooks.deliver = (silo, { body }) => !(body?.$case === 'unmask' && silo.index !== 6 && attemptOf() === 1);
  consortium.hooks.arrive = (_, { type }) => type !== 'unmask' && type !== 'release-answer';
  const { silo, value, sequence } = until(consortium, 'start', 6);
  silo.handle({ sequence, body: { $case: 'start', value } });
  const second = until(consortium, 'start', 6).value;
  const others = consortium.silos.slice(0, 6);
  const aborts = others.map((one) => abortOf(consortium, one));
  const shown = (given: Envelope[]): string =>
    refusedBySilo(silo, { $case: 'start', value: { ...second, aborts: given } });
  const needed = deadAfterAborts(7, 1);

  it('needs n - t + c + 1 Aborts', () => {
    expect(needed).toBe(4);
    expect(AttemptStart.decode(second.attempt!.payload).attempt).toBe(2);
    expect(jobOf(silo).open!.releasedIn?.attempt).toBe(1);
    expect(shown(aborts.slice(0, needed - 1))).toBe('plan/released');
  });
  it('counts distinct silos, never messages', () => {
    const repeated = [aborts[0]!, aborts[0]!, aborts[0]!, otherBytes(consortium.founded, aborts[0]!), aborts[1]!];
    expect(shown(repeated)).toBe('plan/released');
  });
  it('does not count Aborts of another round', () => {
    const replayed = others.map((one) => abortOf(consortium, one, { rid: new Uint8Array(32) }));
    expect(shown(replayed)).toBe('plan/released');
  });
  it('does not count Aborts of an earlier attempt, and counts those of a later one', () => {
    expect(shown(others.map((one) => abortOf(consortium, one, { attempt: 0 })))).toBe('plan/released');
  });
  it('refuses Aborts whose signatures do not verify', () => {
    expect(shown(aborts.map((one) => ({ ...one, signature: new Uint8Array(64) })))).toBe('envelope/bad-signature');
  });
  it('does not count silos outside the cohort', () => {
    const strangers = aborts.map((one, k) => ({ ...one, signer: `silo/stranger-${k}` }));
    expect(shown(strangers)).toBe('plan/released');
  });
  it('lets the silo go on when there are enough, of whichever later attempt', () => {
    const later = others.slice(0, needed).map((one) => abortOf(consortium, one, { attempt: 3 }));
    silo.handle({ sequence: 1n, body: { $case: 'start', value: { ...second, aborts: later } } });
    expect(jobOf(silo).open!.attempt.context.attempt.attempt).toBe(2);
    expect(jobOf(silo).open!.releasedIn).toBeUndefined();
    expect(jobOf(silo).open!.abortedThrough).toBe(1);
    // Whoever has released signs no Abort of that attempt.
    expect(silo.sent.map(({ type }) => type)).not.toContain('abort');
  });
});
