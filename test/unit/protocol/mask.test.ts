// P3: masked headers, receipts, declines (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { unixMs } from '../../../src/base/index.js';
import { advanceSilo, type SiloEvent, type SiloState } from '../../../src/protocol/index.js';
import { Decline, MaskedHeader, Receipt } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { byCoordinator, bySilo, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent } from '../../support/memory/refusals.js';

function codeOf(state: SiloState, event: SiloEvent): string {
  const done = advanceSilo(state, { at: unixMs(1), event });
  return 'rejected' in done ? done.rejected.code : 'accepted';
}

describe('the coordinator that gathers masked inputs', () => {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
  const late = consortium.silos[4]!;
  consortium.hooks.arrive = (from, { type }) => from !== late || type !== 'share-header';
  const { silo, envelope } = untilSent(consortium, 'masked-header', 1);
  const tried = (change: Partial<MaskedHeader>): string =>
    refusedByCoordinator(
      consortium,
      silo.id,
      bySilo(consortium.founded, silo.id, envelope, MaskedHeader, () => change),
    );

  it('refuses a header on another T1', () => {
    expect(tried({ t1: new Uint8Array(32) })).toBe('mask/wrong-transcript');
  });
  it('answers a header on a T2 that is not open as late', () => {
    expect(tried({ t2: new Uint8Array(32) })).toBe('message/late');
  });
  it('refuses a header that names another length than the layout has', () => {
    expect(tried({ length: 2n })).toBe('mask/wrong-transcript');
    expect(tried({ length: 0n })).toBe('mask/wrong-transcript');
  });
  it('refuses a header whose root has not 32 bytes', () => {
    expect(tried({ root: new Uint8Array(31) })).toBe('mask/wrong-transcript');
  });
  it('refuses a header whose root is not that of the bytes that arrived', () => {
    expect(tried({ root: new Uint8Array(32).fill(1) })).toBe('mask/root-differs');
  });
  it('refuses a header for another member', () => {
    expect(tried({ index: 2 })).toBe('envelope/wrong-signer');
  });
  it('refuses a header of a silo outside U2', () => {
    const forged = bySilo(
      consortium.founded,
      late.id,
      { ...envelope, signer: `silo/${late.id}` },
      MaskedHeader,
      () => ({
        index: 4,
      }),
    );
    expect(refusedByCoordinator(consortium, late.id, forged)).toBe('confirm/not-dealer');
  });
  it('answers the same header with the same receipt, and refuses another one in its place', () => {
    consortium.receive(silo.id, { envelope, ciphertexts: [] });
    expect(refusedByCoordinator(consortium, silo.id, envelope)).toBe('accepted');
    expect(tried({ root: new Uint8Array(32).fill(1) })).toBe('message/conflict');
  });
  it('gives no receipt any more once the inputs are closing', () => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const slow = one.silos[2]!;
    let held: typeof envelope | undefined;
    one.hooks.arrive = (from, sent) => {
      if (from !== slow || sent.type !== 'masked-header') return true;
      held = sent;
      return false;
    };
    until(one, 'confirm', 0);
    expect(refusedByCoordinator(one, slow.id, held)).toBe('mask/closed');
    expect(jobOf(slow).open!.attempt.receipt).toBeUndefined();
  });
  it('takes one Decline from a member and refuses another one in its place', () => {
    const one = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const poor = one.silos[1]!;
    poor.input = () => undefined;
    const { envelope: decline } = untilSent(one, 'decline', 1);
    one.receive(poor.id, { envelope: decline, ciphertexts: [] });
    expect(refusedByCoordinator(one, poor.id, decline)).toBe('accepted');
    const other = bySilo(one.founded, poor.id, decline, Decline, () => ({ code: 'data/other' }));
    expect(refusedByCoordinator(one, poor.id, other)).toBe('message/conflict');
    const elsewhere = bySilo(one.founded, poor.id, decline, Decline, () => ({ attempt: 2 }));
    expect(refusedByCoordinator(one, poor.id, elsewhere)).toBe('message/late');
  });
});

describe('a silo that sends its masked input', () => {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
  const { silo } = until(consortium, 'confirm', 1);
  const { rid } = jobOf(silo).open!.plan;
  const { receipt } = jobOf(silo).open!.attempt;
  const withoutReceipt = (): SiloState => {
    const job = jobOf(silo);
    const open = job.open!;
    const { receipt: _, ...attempt } = open.attempt;
    const jobs = new Map([[job.manifest.jobId, { ...job, open: { ...open, attempt } }]]);
    return { ...silo.state, jobs };
  };
  const received = (change: Partial<Receipt>): SiloEvent => ({
    $case: 'receiptReceived',
    value: { rid, attempt: 1, receipt: byCoordinator(consortium.founded, receipt!, Receipt, () => change) },
  });

  it('refuses a receipt for other bytes, another member or another T2', () => {
    expect(codeOf(withoutReceipt(), received({ root: new Uint8Array(32) }))).toBe('mask/receipt');
    expect(codeOf(withoutReceipt(), received({ index: 0 }))).toBe('mask/receipt');
    expect(codeOf(withoutReceipt(), received({ t2: new Uint8Array(32) }))).toBe('mask/receipt');
    expect(codeOf(withoutReceipt(), received({}))).toBe('accepted');
  });
  it('refuses a receipt that the coordinator did not sign', () => {
    const forged = { ...receipt!, signature: new Uint8Array(64) };
    const event: SiloEvent = { $case: 'receiptReceived', value: { rid, attempt: 1, receipt: forged } };
    expect(codeOf(withoutReceipt(), event)).toBe('envelope/bad-signature');
  });
  it('never signs a header over other bytes in one attempt', () => {
    const event: SiloEvent = { $case: 'inputMasked', value: { rid, attempt: 1, root: new Uint8Array(32).fill(1) } };
    expect(codeOf(withoutReceipt(), event)).toBe('message/conflict');
    // With a receipt in hand the question does not even arise.
    const done = advanceSilo(silo.state, { at: unixMs(1), event });
    expect('accepted' in done && done.accepted.effects).toEqual([]);
  });
  it('refuses a root that has not 32 bytes', () => {
    const one = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const { silo: ready, value } = until(one, 'sharesClosed', 1);
    ready.world.upload = () => undefined;
    const done = advanceSilo(ready.state, { at: unixMs(1), event: { $case: 'sharesClosed', value } });
    if (!('accepted' in done)) throw new Error(done.rejected.code);
    const event: SiloEvent = { $case: 'inputMasked', value: { rid: value.rid, attempt: 1, root: new Uint8Array(5) } };
    expect(codeOf(done.accepted.state, event)).toBe('mask/root-differs');
  });
  it('has its input computed once and stored: a second computation changes nothing', () => {
    const event: SiloEvent = {
      $case: 'contributionReady',
      value: {
        jobId: 'job-1',
        round: 1,
        inputHash: new Uint8Array(32),
        inputKeys: [],
        dataSet: 'other',
        dataSetVersion: new Uint8Array(32),
      },
    };
    const done = advanceSilo(silo.state, { at: unixMs(1), event });
    expect('accepted' in done && done.accepted.state).toBe(silo.state);
    expect('accepted' in done && done.accepted.effects).toEqual([]);
  });
  it('has nothing to say to U2 of another attempt', () => {
    const value = { rid, attempt: 2, dealers: Uint8Array.of(0b11111) };
    expect(refusedBySilo(silo, { $case: 'sharesClosed', value })).toBe('accepted');
  });
});
