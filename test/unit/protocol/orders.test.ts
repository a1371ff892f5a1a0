// What operators order: docs/protocol.md §2.8.

import { describe, expect, it } from 'vitest';
import { openOrder, seal } from '../../../src/protocol/index.js';
import { decode, Abandon, Order } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { keyFrom, signManifest } from '../../support/memory/founding.js';
import { ofJob, order, signOrder, type OrderBody } from '../../support/memory/orders.js';
import { jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, refusedEvent, until, untilSent } from '../../support/memory/refusals.js';

const given = (consortium: MemoryConsortium, body: OrderBody, changes: Partial<Order> = {}): string => {
  const number = BigInt(consortium.coordinator.orders.length) + 1n;
  const signed = signOrder(consortium.founded, body, { number, ...changes });
  return refusedEvent(consortium, { $case: 'orderGiven', value: { order: signed } });
};
const pause = (consortium: MemoryConsortium): OrderBody => ({ $case: 'pauseJob', value: ofJob(consortium) });
const abort = (consortium: MemoryConsortium): OrderBody => ({ $case: 'abortJob', value: ofJob(consortium) });
const resume = (consortium: MemoryConsortium): OrderBody => ({ $case: 'resumeJob', value: ofJob(consortium) });
const abortRound = (consortium: MemoryConsortium, round: number): OrderBody => ({
  $case: 'abortRound',
  value: { ...ofJob(consortium), round },
});
const deny: OrderBody = { $case: 'denySilo', value: { siloId: 'silo-001' } };
const allow: OrderBody = { $case: 'allowSilo', value: { siloId: 'silo-001' } };

describe('an order', () => {
  const consortium = new MemoryConsortium(4);
  const { founded } = consortium;

  it('counts when an operator of the roster has signed it', () => {
    const opened = openOrder(founded.roster, signOrder(founded, pause(consortium)));
    expect(opened).toMatchObject({ signer: 'operator/olga', number: 1n, reason: 'a test wants it' });
    expect(given(consortium, pause(consortium))).toBe('accepted');
  });

  it('is refused from anybody else, and when it is something else', () => {
    const message = decode(Order, 'order', signOrder(founded, pause(consortium)).payload);
    const code = (envelope: ReturnType<typeof seal> | undefined): string =>
      refusedEvent(consortium, { $case: 'orderGiven', value: { order: envelope } });
    expect(code(seal(founded.coordinatorKey, 'coordinator', 'order', Order, message))).toBe('envelope/wrong-signer');
    expect(code(seal(keyFrom('auditor/ada'), 'auditor/ada', 'order', Order, message))).toBe('envelope/wrong-signer');
    expect(code(seal(keyFrom('otto'), 'operator/otto', 'order', Order, message))).toBe('envelope/unknown-signer');
    expect(code(seal(keyFrom('otto'), 'operator/olga', 'order', Order, message))).toBe('envelope/bad-signature');
    expect(code(signManifest(founded, consortium.job.manifest.message))).toBe('envelope/wrong-type');
    expect(code(undefined)).toBe('envelope/wrong-type');
  });

  it('is refused with another version, roster, without a reason or an action, and about what does not exist', () => {
    const changes: Partial<Order>[] = [
      { version: 2 },
      { rosterHash: new Uint8Array(32) },
      { reason: '' },
      { reason: 'x'.repeat(501) },
      { action: undefined },
      { action: { $case: 'pauseJob', value: { ...ofJob(consortium), manifestHash: new Uint8Array(32) } } },
      { action: { $case: 'pauseJob', value: { ...ofJob(consortium), jobId: 'No Name' } } },
      { action: { $case: 'denySilo', value: { siloId: 'silo-009' } } },
      { action: { $case: 'denySilo', value: { siloId: '' } } },
    ];
    for (const change of changes) expect(given(consortium, pause(consortium), change)).toBe('order/invalid');
    const elsewhere = { ...ofJob(consortium), jobId: 'job-9' };
    expect(given(consortium, { $case: 'pauseJob', value: elsewhere })).toBe('job/state');
  });

  it('has the next number; the same one again is answered, an old or overtaken one refused', () => {
    const one = new MemoryConsortium(4);
    expect(given(one, pause(one), { number: 2n })).toBe('order/number');
    expect(given(one, pause(one), { number: 0n })).toBe('order/number');
    order(one, pause(one));
    const records = one.journal.length;
    one.feed({ $case: 'orderGiven', value: { order: signOrder(one.founded, pause(one)) } });
    expect(one.journal).toHaveLength(records);
    expect(given(one, resume(one), { number: 1n })).toBe('order/number');
  });

  it('survives a restart, with what it did', () => {
    const one = new MemoryConsortium(4);
    order(one, deny);
    order(one, pause(one));
    const { denied, orders } = one.coordinator;
    one.restartCoordinator();
    expect([...one.coordinator.denied.keys()]).toEqual([...denied.keys()]);
    expect(one.coordinator.orders.map(({ order: { number } }) => number)).toEqual(
      orders.map(({ order: { number } }) => number),
    );
    expect(one.job.status).toBe('paused');
  });
});

describe('pausing', () => {
  it('lets the open round finish and opens no other one until the job is resumed', () => {
    const one = new MemoryConsortium(4);
    until(one, 'confirm');
    order(one, pause(one));
    one.run();
    expect([one.job.status, one.job.closed.length, one.job.open]).toEqual(['paused', 1, undefined]);
    expect(one.job.closed[0]!.result).toBeDefined();
    expect(one.job.reason).toBe('a test wants it (operator/olga)');
    order(one, resume(one));
    one.run();
    expect([one.job.status, one.job.closed.length]).toEqual(['completed', 3]);
    for (const silo of one.silos) expect(jobOf(silo).ended).toBe(true);
  });

  it('fits the state of the job', () => {
    const one = new MemoryConsortium(4);
    expect(given(one, resume(one))).toBe('job/state');
    order(one, pause(one));
    expect(given(one, pause(one))).toBe('job/state');
    order(one, resume(one));
    expect(one.job.status).toBe('offered');
    one.run();
    for (const body of [pause(one), resume(one), abort(one)]) expect(given(one, body)).toBe('job/state');
  });
});

describe('ending a job', () => {
  it('abandons the open round, and silos let go when they see the order', () => {
    const one = new MemoryConsortium(4);
    until(one, 'sharesClosed');
    order(one, abort(one));
    expect([one.job.status, one.job.open]).toEqual(['ended', undefined]);
    one.run();
    for (const silo of one.silos) {
      expect(jobOf(silo)).toMatchObject({ ended: true, closedRound: 1 });
      expect(silo.rejections).toEqual([]);
    }
    expect(one.job.closed[0]!.acks.size).toBe(4);
    const { proof, reason } = decode(Abandon, 'abandon', one.job.closed[0]!.abandon!.payload);
    expect(reason).toContain('operator/olga ordered an end in mask: a test wants it');
    expect(openOrder(one.founded.roster, proof[0]).action.kind).toBe('abort-job');
  });

  it('waits for a round in which shares were asked for, and then ends at once', () => {
    const one = new MemoryConsortium(4);
    until(one, 'unmask');
    order(one, abort(one));
    expect([one.job.status, one.job.open === undefined]).toEqual(['ended', false]);
    one.run();
    expect([one.job.closed.length, one.job.closed[0]!.result === undefined]).toEqual([1, false]);
    for (const silo of one.silos) expect(jobOf(silo)).toMatchObject({ ended: true, closedRound: 1 });
  });

  it('does not repeat an attempt of a job that was ended', () => {
    const one = new MemoryConsortium(4);
    until(one, 'unmask');
    // Nobody releases, whatever is asked.
    one.hooks = { deliver: (_, { body }) => body?.$case !== 'unmask' };
    order(one, abort(one));
    one.run(1);
    expect([one.job.closed[0]!.attempt, one.job.closed[0]!.result]).toEqual([1, undefined]);
  });

  it('reaches silos that are away when they come back', () => {
    const one = new MemoryConsortium(4);
    one.run(1);
    one.silos[3]!.crash();
    order(one, abort(one));
    one.run();
    one.silos[3]!.restart();
    one.run();
    expect(jobOf(one.silos[3]!).ended).toBe(true);
  });
});

describe('a silo that is told that its job is over', () => {
  const one = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
  one.run(1);
  const silo = one.silos[0]!;
  const told = (signed: ReturnType<typeof seal> | undefined): string =>
    refusedBySilo(silo, { $case: 'jobClosed', value: { jobId: 'job-1', reason: '', order: signed } });

  it('keeps it when there are rounds to come and nobody has ordered an end', () => {
    expect(told(undefined)).toBe('order/missing');
  });

  it('keeps it when the order is none, forged, or about something else', () => {
    const other = { ...ofJob(one), manifestHash: new Uint8Array(32) };
    expect(told(signOrder(one.founded, pause(one)))).toBe('order/invalid');
    expect(told(signOrder(one.founded, deny))).toBe('order/invalid');
    expect(told(signOrder(one.founded, { $case: 'abortJob', value: other }))).toBe('order/invalid');
    const { payload } = signOrder(one.founded, abort(one));
    const message = decode(Order, 'order', payload);
    expect(told(seal(one.founded.coordinatorKey, 'coordinator', 'order', Order, message))).toBe(
      'envelope/wrong-signer',
    );
    expect(told(seal(one.founded.coordinatorKey, 'operator/olga', 'order', Order, message))).toBe(
      'envelope/bad-signature',
    );
  });
});

describe('ending a round', () => {
  it('abandons it, and the job goes on with the next', () => {
    const one = new MemoryConsortium(4);
    until(one, 'keys');
    expect(given(one, abortRound(one, 2))).toBe('job/state');
    order(one, abortRound(one, 1));
    one.run();
    expect(one.job.closed.map(({ result }) => result !== undefined)).toEqual([false, true, true]);
    expect(one.job.status).toBe('completed');
  });

  it('comes too late when shares were asked for', () => {
    const one = new MemoryConsortium(4);
    until(one, 'unmask');
    expect(given(one, abortRound(one, 1))).toBe('job/state');
  });
});

describe('a silo that is denied', () => {
  it('is not heard, counts as absent in the open round and in no later cohort, until it is allowed again', () => {
    const one = new MemoryConsortium(5);
    const { silo, envelope } = untilSent(one, 'masked-header', 1);
    order(one, deny);
    expect(refusedByCoordinator(one, silo.id, envelope)).toBe('message/denied');
    one.run(2);
    const [first, second] = one.job.closed;
    expect([first!.plan.n, first!.survivors]).toEqual([5, ['silo-000', 'silo-002', 'silo-003', 'silo-004']]);
    expect(second!.plan.cohort).not.toContain('silo-001');
    order(one, allow);
    one.run();
    expect(one.job.closed[2]!.plan.cohort).toContain('silo-001');
    expect(jobOf(silo).closedRound).toBe(3);
  });

  it('is denied once and allowed once', () => {
    const one = new MemoryConsortium(4);
    expect(given(one, allow)).toBe('order/no-effect');
    order(one, deny);
    expect(given(one, deny)).toBe('order/no-effect');
  });
});

describe('resuming', () => {
  it('starts counting rejections anew, and settles disputes of rounds before', () => {
    const one = new MemoryConsortium(4);
    one.run(1);
    const [round] = one.job.closed;
    const disputed = { ...round!, disputes: new Map(one.silos.map(({ id }) => [id, round!.abandon!])) };
    const job = { ...one.job, closed: [disputed], rejectedInRow: 2, status: 'paused' as const };
    one.coordinator = { ...one.coordinator, jobs: new Map([[job.manifest.jobId, job]]) };
    order(one, resume(one));
    expect([one.job.status, one.job.rejectedInRow, one.job.settledRounds]).toEqual(['running', 0, 1]);
    one.run(2);
    expect(one.job.closed).toHaveLength(2);
  });
});
