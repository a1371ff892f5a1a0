// The coordinator's own events, and approvals: what does not fit the state of a job is refused (docs/protocol.md §2.4).

import { describe, expect, it } from 'vitest';
import type { SiloId } from '../../../src/base/index.js';
import { Approval, Outcome, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { bySilo, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, refusedEvent, until } from '../../support/memory/refusals.js';

const fresh = (): MemoryConsortium => new MemoryConsortium(4, { manifest: { roundLimit: 1 } });

describe('the coordinator', () => {
  const consortium = fresh();
  const { silo } = until(consortium, 'confirm', 1);
  const { rid } = consortium.job.open!.plan;
  const closed = { jobId: 'job-1', round: 1, attempt: 1, phase: 'confirm', cause: 'timeout' };
  const blob = { sha256: new Uint8Array(32), size: 0n };
  const opened = {
    rid,
    attempt: 1,
    openedHash: new Uint8Array(32),
    opened: blob,
    outcome: Outcome.OUTCOME_APPLIED,
    newModelHash: new Uint8Array(32),
    modelState: new Uint8Array(),
    metrics: [],
    endsJob: false,
  };

  it('opens no second round beside an open one', () => {
    const cohort = consortium.silos.map(({ id }) => id);
    expect(refusedEvent(consortium, { $case: 'roundOpened', value: { jobId: 'job-1', cohort } })).toBe('job/state');
    expect(refusedEvent(consortium, { $case: 'roundOpened', value: { jobId: 'job-9', cohort } })).toBe('job/state');
  });
  it('closes only the phase that is open', () => {
    for (const change of [{ round: 2 }, { attempt: 2 }, { phase: 'mask' }, { jobId: 'job-9' }])
      expect(refusedEvent(consortium, { $case: 'phaseClosed', value: { ...closed, ...change } })).toBe('job/state');
  });
  it('stops no job with an open round, and knows no other ends than three', () => {
    expect(
      refusedEvent(consortium, { $case: 'jobStopped', value: { jobId: 'job-1', state: 'ended', reason: '' } }),
    ).toBe('job/state');
    expect(
      refusedEvent(consortium, { $case: 'jobStopped', value: { jobId: 'job-1', state: 'running', reason: '' } }),
    ).toBe('job/state');
  });
  it('takes no sum, fingerprints or opened sum that it did not ask for', () => {
    const sum = { rid, attempt: 1, sumHash: new Uint8Array(32), sum: blob };
    expect(refusedEvent(consortium, { $case: 'sumComputed', value: sum })).toBe('job/state');
    expect(refusedEvent(consortium, { $case: 'sumComputed', value: { ...sum, attempt: 2 } })).toBe('message/late');
    expect(refusedEvent(consortium, { $case: 'fingerprintsChecked', value: { rid, attempt: 1, lying: [] } })).toBe(
      'job/state',
    );
    expect(refusedEvent(consortium, { $case: 'sumOpened', value: opened })).toBe('job/state');
    expect(refusedEvent(consortium, { $case: 'sumOpened', value: { ...opened, rid: new Uint8Array(32) } })).toBe(
      'message/late',
    );
  });
  it('takes nothing that silos do not sign, and nothing at all', () => {
    const sample = jobOf(silo).approval!;
    for (const type of ['plan', 'result', 'receipt', 'manifest', 'nonsense'])
      expect(refusedByCoordinator(consortium, silo.id, { ...sample, type })).toBe('envelope/wrong-type');
    expect(refusedByCoordinator(consortium, silo.id, undefined)).toBe('envelope/wrong-type');
  });
  it('takes nothing from what is no silo', () => {
    const value = { siloId: 'Silo', envelope: jobOf(silo).approval, ciphertexts: [], computedRoot: new Uint8Array() };
    expect(refusedEvent(consortium, { $case: 'messageReceived', value })).toBe('message/unexpected');
  });
  it('takes bytes that do not parse for what they are', () => {
    const garbage: Envelope = { ...jobOf(silo).approval!, type: 'unmask', payload: Uint8Array.of(0x0a, 0xff) };
    expect(refusedByCoordinator(consortium, silo.id, garbage)).toBe('wire/malformed');
  });
});

describe('the coordinator before a round', () => {
  it('opens none for silos that did not approve, for too few, or for what is no silo', () => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    one.silos[4]!.approves = false;
    until(one, 'start', 0);
    const again = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const opens = (cohort: string[]): string =>
      refusedEvent(again, { $case: 'roundOpened', value: { jobId: 'job-1', cohort } });
    expect(opens(['silo-000', 'silo-001', 'silo-002', 'silo-003'])).toBe('plan/not-approved');
    expect(opens(['Silo'])).toBe('plan/cohort');
    expect(opens([])).toBe('plan/floor-cohort');
    expect(one.job.open!.plan.cohort).toHaveLength(4);
    expect(one.job.refusals.size).toBe(1);
  });
  it('opens none after the last', () => {
    const one = fresh();
    one.run(1);
    const cohort = one.silos.map(({ id }) => id);
    expect(refusedEvent(one, { $case: 'roundOpened', value: { jobId: 'job-1', cohort } })).toBe('plan/round-limit');
    one.run();
    expect(refusedEvent(one, { $case: 'roundOpened', value: { jobId: 'job-1', cohort } })).toBe('job/state');
  });
  it('refuses a cohort with a silo twice', () => {
    const one = fresh();
    one.run(1);
    const two = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
    two.run(1);
    const cohort = ['silo-000', 'silo-000', 'silo-001', 'silo-002'];
    expect(refusedEvent(two, { $case: 'roundOpened', value: { jobId: 'job-1', cohort } })).toBe('plan/cohort');
  });
});

describe('an approval', () => {
  const consortium = new MemoryConsortium(5, {
    manifest: { roundLimit: 1, silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'] },
  });
  const { silo } = until(consortium, 'start', 1);
  const approval = jobOf(silo).approval!;
  it('is refused of a manifest that is not known', () => {
    const other = bySilo(consortium.founded, silo.id, approval, Approval, () => ({ manifestHash: new Uint8Array(32) }));
    expect(refusedByCoordinator(consortium, silo.id, other)).toBe('approval/unknown-manifest');
  });
  it('is refused of a silo that is not in the job', () => {
    const stranger: SiloId = consortium.silos[4]!.id;
    const other = bySilo(
      consortium.founded,
      stranger,
      { ...approval, signer: `silo/${stranger}` },
      Approval,
      () => ({}),
    );
    expect(refusedByCoordinator(consortium, stranger, other)).toBe('message/unexpected');
  });
  it('stands: the same again is answered, a refusal after it is a conflict', () => {
    expect(refusedByCoordinator(consortium, silo.id, approval)).toBe('accepted');
    const changed = bySilo(consortium.founded, silo.id, approval, Approval, () => ({ approved: false }));
    expect(refusedByCoordinator(consortium, silo.id, changed)).toBe('message/conflict');
  });
  it("is not taken by a silo from another silo's operator", () => {
    const foreign = bySilo(consortium.founded, silo.id, approval, Approval, () => ({ siloId: 'silo-002' }));
    const rejections = silo.rejections.length;
    silo.feed({ $case: 'jobDecided', value: { approval: foreign } });
    expect(silo.rejections[rejections]!.code).toBe('envelope/wrong-signer');
    expect(refusedBySilo(silo, { $case: 'jobClosed', value: { jobId: 'job-9', reason: '', order: undefined } })).toBe(
      'plan/unknown-job',
    );
  });
});
