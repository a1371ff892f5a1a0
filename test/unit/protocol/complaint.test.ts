// P2, second step: complaints, answers, and who is proven wrong.

import { describe, expect, it } from 'vitest';
import { asSiloId } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { seal, siloSigner } from '../../../src/protocol/index.js';
import {
  Complaint,
  ComplaintAnswer,
  decode,
  ShareHeader,
  SharesChecked,
  type Envelope,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent } from '../../support/memory/refusals.js';
import { allBut, bySilo, openedIn } from '../../support/memory/readings.js';

const BAD = 3;
const VICTIM = 1;

interface BadDealer {
  readonly consortium: MemoryConsortium;
  /** Hash of the ciphertext that the dealer's own state knows. */
  readonly honestHash: () => Uint8Array;
}

/** Silo 3 signs a ciphertext for silo 1 that does not open. `answers`: whether it answers the complaint. */
function withBadDealer(answers: boolean, rounds = 1): BadDealer {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: rounds } });
  const dealer = consortium.silos[BAD]!;
  let honest: Uint8Array = new Uint8Array();
  let honestHeader: Uint8Array = new Uint8Array();
  dealer.tamper = (envelope, ciphertexts) => {
    if (envelope.type !== 'share-header') return { envelope, ciphertexts };
    honestHeader = hash(LABELS.shareHeader, envelope.payload);
    const broken = ciphertexts.map((one, k) => (k === VICTIM ? one.map((byte) => byte ^ 1) : one));
    const signed = bySilo(consortium.founded, dealer.id, envelope, ShareHeader, (message) => ({
      entries: message.entries.map((entry, k) => {
        if (k !== VICTIM) return entry;
        honest = entry.ciphertextHash;
        return { ...entry, ciphertextHash: hash(LABELS.shareCiphertext, broken[VICTIM]!) };
      }),
    }));
    return { envelope: signed, ciphertexts: broken };
  };
  // The dealer's own machine knows only the honest header; asked about that one it answers with the true ephemeral secret.
  consortium.hooks.deliver = (silo, directive) => {
    const { body } = directive;
    if (silo.index !== BAD || body?.$case !== 'complaint') return true;
    if (!answers) return false;
    const victim = consortium.silos[VICTIM]!;
    const complaint = bySilo(consortium.founded, victim.id, body.value.complaint!, Complaint, () => ({
      ciphertextHash: honest,
      headerHash: honestHeader,
    }));
    return { ...directive, body: { $case: 'complaint', value: { ...body.value, complaint } } };
  };
  return { consortium, honestHash: () => honest };
}

describe('a dealer whose signed shares are wrong', () => {
  it('is proven so by its own answer, barred from the job, and the others go on without it', () => {
    const { consortium } = withBadDealer(true, 3);
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    const barred = consortium.job.barred.get(consortium.silos[BAD]!.id);
    expect(barred?.code).toBe('share/bad-ciphertext');
    expect(barred?.evidence.map(({ type }) => type)).toEqual(['complaint', 'answer', 'share-header', 'advertise']);
    for (const round of consortium.job.closed) {
      expect(round.result).toBeDefined();
      expect(round.attempt).toBe(1);
      expect(round.plan.cohort).toHaveLength(5);
      expect(openedIn(consortium, round.plan.round)).toEqual(allBut(5, BAD));
    }
    expect(consortium.silos[VICTIM]!.notices.map(({ code }) => code)).toContain('share/bad-ciphertext');
  });

  it('sits out only this attempt when it does not answer, for that proves nothing', () => {
    const { consortium } = withBadDealer(false, 2);
    consortium.run(1);
    expect(openedIn(consortium, 1)).toEqual(allBut(5, BAD));
    expect(consortium.job.barred.size).toBe(0);
    consortium.silos[BAD]!.tamper = (envelope, ciphertexts) => ({ envelope, ciphertexts });
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is refused in U2 by the silo that complained, whatever the coordinator says', () => {
    const { consortium } = withBadDealer(false);
    const { silo: victim, value } = until(consortium, 'sharesClosed', VICTIM);
    const everybody = Uint8Array.of(0b11111);
    expect(refusedBySilo(victim, { $case: 'sharesClosed', value: { ...value, dealers: everybody } })).toBe(
      'share/not-checked',
    );
  });

  it('is complained of in the same bytes after the victim was killed', () => {
    const { consortium } = withBadDealer(false);
    const { silo: victim } = until(consortium, 'sharesClosed', VICTIM);
    const complaints = (): Envelope[] => victim.sent.filter(({ type }) => type === 'complaint');
    const [before] = complaints();
    victim.crash();
    victim.restart();
    consortium.run();
    expect(complaints().every((one) => Buffer.from(one.signature).equals(Buffer.from(before!.signature)))).toBe(true);
  });
});

describe('a false complaint', () => {
  /** Silo 1 complains of silo 3, whose shares are good. */
  function withLiar(rounds = 1): MemoryConsortium {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: rounds } });
    const liar = consortium.silos[VICTIM]!;
    liar.tamper = (envelope, ciphertexts) => {
      if (envelope.type === 'shares-checked') {
        const { t1 } = decode(SharesChecked, 'checked', envelope.payload);
        const { header, payload } = consortium.job.open!.attempt.offeredShares.get(BAD)!;
        const { ciphertextHash } = header.entries[VICTIM]!;
        const headerHash = hash(LABELS.shareHeader, payload);
        const message = { t1, index: VICTIM, dealer: BAD, ciphertextHash, headerHash };
        liar.world.submit(
          liar.id,
          seal(consortium.founded.keyOf(liar.id), siloSigner(liar.id), 'complaint', Complaint, message),
          [],
        );
      }
      return { envelope, ciphertexts };
    };
    return consortium;
  }

  it('proves the complainant, who is barred, and the dealer stays', () => {
    const consortium = withLiar(2);
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect([...consortium.job.barred].map(([silo, { code }]) => `${silo} ${code}`)).toEqual([
      'silo-001 complaint/false',
    ]);
    for (const round of consortium.job.closed)
      expect(openedIn(consortium, round.plan.round)).toEqual(allBut(5, VICTIM));
  });

  it('makes the dealer reveal one ephemeral secret and nothing else', () => {
    const consortium = withLiar();
    const { silo: dealer } = until(consortium, 'sharesClosed', BAD);
    const answers = dealer.sent.filter(({ type }) => type === 'answer');
    expect(answers).toHaveLength(1);
    expect(decode(ComplaintAnswer, 'answer', answers[0]!.payload).recipient).toBe(VICTIM);
  });

  it('keeps a barred silo out of later rounds by name', () => {
    const consortium = withLiar(2);
    const { silo, envelope } = untilSentInRound(consortium, 2);
    expect(refusedByCoordinator(consortium, silo.id, envelope)).toBe('message/barred');
  });
});

function untilSentInRound(consortium: MemoryConsortium, round: number): ReturnType<typeof untilSent> {
  consortium.run(round - 1);
  return untilSent(consortium, 'advertise', VICTIM);
}

describe('the coordinator', () => {
  it('refuses a complaint about a ciphertext that was not dealt, and one about nobody', () => {
    const { consortium } = withBadDealer(false);
    const { silo, envelope } = untilSent(consortium, 'complaint', VICTIM);
    const tried = (change: Partial<Complaint>): string =>
      refusedByCoordinator(
        consortium,
        silo.id,
        bySilo(consortium.founded, silo.id, envelope, Complaint, () => change),
      );
    expect(tried({ ciphertextHash: new Uint8Array(32) })).toBe('complaint/invalid');
    expect(tried({ headerHash: new Uint8Array(32) })).toBe('complaint/invalid');
    expect(tried({ dealer: 77 })).toBe('complaint/invalid');
    expect(tried({ t1: new Uint8Array(32) })).toBe('message/late');
  });

  it('refuses an answer with another key than the dealer signed', () => {
    const { consortium } = withBadDealer(true);
    const { silo, envelope } = untilSent(consortium, 'answer', BAD);
    const tried = (change: Partial<ComplaintAnswer>): string =>
      refusedByCoordinator(
        consortium,
        silo.id,
        bySilo(consortium.founded, silo.id, envelope, ComplaintAnswer, () => change),
      );
    expect(tried({ ephemeralSecret: new Uint8Array(32).fill(7) })).toBe('complaint/wrong-key');
    expect(tried({ ephemeralSecret: new Uint8Array(31) })).toBe('complaint/wrong-key');
  });

  it('refuses an answer of a silo that dealt nothing', () => {
    const { consortium } = withBadDealer(true);
    consortium.hooks.arrive = (silo, { type }) => silo.index !== 0 || type !== 'share-header';
    const { envelope } = untilSent(consortium, 'answer', BAD);
    const { t1 } = decode(ComplaintAnswer, 'answer', envelope.payload);
    const other = asSiloId('silo-000')!;
    const strange = seal(consortium.founded.keyOf(other), siloSigner(other), 'answer', ComplaintAnswer, {
      t1,
      index: 0,
      recipient: VICTIM,
      ephemeralSecret: new Uint8Array(32).fill(1),
    });
    expect(refusedByCoordinator(consortium, other, strange)).toBe('complaint/unasked');
  });
});
