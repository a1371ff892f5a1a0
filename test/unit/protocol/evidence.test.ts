// What is signed twice is kept by whoever meets it, so that anybody can check it later.

import { describe, expect, it } from 'vitest';
import { unixMs } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { evidenceOf, openEnvelope, seal } from '../../../src/protocol/index.js';
import { AdvertiseKeys, AttemptStart, decode, EvidenceRecord, RoundPlan } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

describe('evidence', () => {
  it('of a second plan for one round holds both plans as they were signed', () => {
    const consortium = new MemoryConsortium(4);
    let forged = false;
    consortium.hooks.deliver = (silo, directive) => {
      const { body } = directive;
      if (forged || silo.index !== 0 || body?.$case !== 'keys') return true;
      forged = true;
      const { founded } = consortium;
      const plan = consortium.job.open!.plan;
      const { message } = openEnvelope(
        founded.roster,
        plan.envelope,
        { type: 'plan', signer: 'coordinator' },
        RoundPlan,
      );
      const other = seal(founded.coordinatorKey, 'coordinator', 'plan', RoundPlan, { ...message, kemSuite: '' });
      const rid = hash(LABELS.plan, other.payload);
      const start = { rid, attempt: 1, checkpoint: new Uint8Array() };
      const attempt = seal(founded.coordinatorKey, 'coordinator', 'attempt-start', AttemptStart, start);
      const fresh = { rho: new Uint8Array(32), roundSecret: new Uint8Array(32) };
      silo.feed({
        $case: 'attemptStarted',
        value: { plan: other, attempt, aborts: [], exclusions: [], proofs: [], checkpoint: new Uint8Array(), ...fresh },
      });
      return true;
    };
    consortium.run(1);
    const rejection = consortium.silos[0]!.rejections.find(({ code }) => code === 'plan/second-plan')!;
    const plans = rejection.evidence.map((one) =>
      openEnvelope(consortium.founded.roster, one, { type: 'plan', signer: 'coordinator' }, RoundPlan),
    );
    expect(plans.map(({ message }) => message.kemSuite)).toEqual(['x25519', '']);
    expect(consortium.job.closed).toHaveLength(1);
  });

  it('of two messages in one place holds both, and is a record that decodes', () => {
    const consortium = new MemoryConsortium(4);
    const { founded } = consortium;
    const [first] = founded.silos;
    let second = false;
    consortium.hooks.arrive = (silo, envelope) => {
      if (second || silo.id !== first || envelope.type !== 'share-header') return true;
      second = true;
      const { advertised } = consortium.job.open!.attempt;
      const before = advertised.get(0)!.envelope;
      const message = decode(AdvertiseKeys, 'advertise', before.payload);
      const other = seal(founded.keyOf(first), before.signer, 'advertise', AdvertiseKeys, {
        ...message,
        channelKey: message.maskKey,
      });
      consortium.receive(first, { envelope: other, ciphertexts: [] });
      return true;
    };
    consortium.run(1);
    const { rejection } = consortium.rejections.find(({ rejection: one }) => one.code === 'message/conflict')!;
    expect(rejection.evidence).toHaveLength(2);
    const record = decode(EvidenceRecord, 'evidence', evidenceOf(rejection, unixMs(5))!);
    expect(record.code).toBe('message/conflict');
    for (const envelope of record.envelopes)
      expect(
        openEnvelope(founded.roster, envelope, { type: 'advertise', signer: `silo/${first}` }, AdvertiseKeys).message
          .index,
      ).toBe(0);
  });

  it('of an ordinary refusal is not kept', () => {
    expect(evidenceOf({ code: 'message/late', detail: '', evidence: [] }, unixMs(5))).toBeUndefined();
  });
});
