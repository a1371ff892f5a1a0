// A coordinator or a silo that lies: about the sum, about fingerprints, about who survived, or to some silos otherwise than to others
// (docs/protocol.md §2.3 P4 to P6, §6).

import { describe, expect, it } from 'vitest';
import { hex, type SiloId } from '../../../src/base/index.js';
import { addFingerprints, FINGERPRINT_PRIME, unpackWords } from '../../../src/vector/index.js';
import {
  Consistency,
  ConsistencyRequest,
  RoundResult,
  type Directive,
  type Envelope,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, byCoordinator, bySilo, distinctSent, jobOf, openedIn } from '../../support/memory/readings.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const one = (n: number): MemoryConsortium => new MemoryConsortium(n, { manifest: { roundLimit: 1 } });

const codesOf = (silo: MemorySilo): string[] => silo.rejections.map(({ code }) => code);

describe('a coordinator that lies about the sum', () => {
  const range = (n: number): number => n * (2 ** 32 - 1);
  const LIES: { what: string; lie: (sum: Float64Array) => void; code: string }[] = [
    { what: 'by +1', lie: (sum) => (sum[0]! += 1), code: 'result/fingerprint' },
    { what: 'by -1', lie: (sum) => (sum[0]! -= 1), code: 'result/fingerprint' },
    {
      what: 'by -2^32, which leaves the opened sum as it was',
      lie: (sum) => (sum[0]! -= 2 ** 32),
      code: 'result/fingerprint',
    },
    {
      what: 'by +2^61 - 1 modulo what the width holds, which is -1',
      lie: (sum) => (sum[0] = Number((BigInt(sum[0]!) + FINGERPRINT_PRIME) % 2n ** 40n)),
      code: 'result/fingerprint',
    },
    { what: 'beyond what the survivors can have made it', lie: (sum) => (sum[0] = range(5) + 1), code: 'result/sum' },
    { what: 'by putting another vector in its place', lie: (sum) => sum.fill(7), code: 'result/fingerprint' },
  ];
  for (const { what, lie, code } of LIES)
    it(`${what} is disputed by every silo and acknowledged by none`, () => {
      const consortium = one(5);
      consortium.hooks.lieAboutSum = lie;
      consortium.run();
      const [round] = consortium.job.closed;
      expect(round!.acks.size).toBe(0);
      expect(round!.disputes.size).toBe(5);
      for (const silo of consortium.silos) {
        expect(silo.notices.map((notice) => notice.code)).toContain(code);
        expect(jobOf(silo).closedRound).toBe(0);
        expect(hex(jobOf(silo).modelHash)).not.toBe(hex(consortium.job.modelHash));
      }
      expect(consortium.job.status).toBe('paused');
    });

  it('by leaving an honest input out of it is disputed by every silo and acknowledged by none', () => {
    const consortium = one(5);
    consortium.hooks.lieAboutSum = (sum) => {
      const { plan, attempt } = consortium.job.open!;
      const left = consortium.uploads.get(`${hex(plan.rid)}/${attempt.context.attempt.attempt}/silo-003`)!;
      sum[0]! -= unpackWords(left, 1, 32)[0]!;
    };
    consortium.run();
    expect(consortium.job.closed[0]!.acks.size).toBe(0);
    expect(consortium.job.closed[0]!.disputes.size).toBe(5);
  });

  it('and shows the same lie again is answered with the same Dispute, and the journal does not grow', () => {
    const consortium = one(4);
    consortium.hooks.lieAboutSum = (sum) => (sum[0]! += 1);
    consortium.run();
    const [silo] = consortium.silos;
    const records = silo!.journal.length;
    for (let again = 0; again < 3; again++) {
      silo!.cursor = 0n;
      consortium.settle();
    }
    expect(silo!.journal).toHaveLength(records);
    expect(distinctSent(silo!, 'dispute')).toHaveLength(1);
    silo!.crash();
    silo!.restart();
    consortium.settle();
    expect(silo!.journal).toHaveLength(records);
  });
});

describe('a silo that lies about its fingerprints', () => {
  for (const by of [1n, FINGERPRINT_PRIME - 1n])
    it(`by ${by} is listed as missing, its input is checked instead, and the round verifies`, () => {
      const consortium = one(5);
      const liar = consortium.silos[2]!;
      liar.tamper = (envelope, ciphertexts) => ({
        envelope:
          envelope.type === 'consistency'
            ? bySilo(consortium.founded, liar.id, envelope, Consistency, ({ tau0 }) => ({
                tau0: addFingerprints([tau0, by]),
              }))
            : envelope,
        ciphertexts,
      });
      consortium.run();
      const [round] = consortium.job.closed;
      expect(round!.result!.missing).toEqual([2]);
      expect(round!.attempt).toBe(1);
      expect(openedIn(consortium, 1)).toEqual(allBut(5));
      expect(round!.acks.size).toBe(5);
      expect(round!.notes.join()).toContain('silo-002');
    });

  it('does not get a wrong input of its own accepted under a missing fingerprint', () => {
    const consortium = one(5);
    const liar = consortium.silos[2]!;
    consortium.hooks.arrive = (silo, { type }) => silo !== liar || type !== 'consistency';
    consortium.run(1);
    const { missing } = consortium.job.closed[0]!.result!;
    expect(missing).toEqual([2]);
    const { plan } = consortium.job.closed[0]!;
    const name = `${hex(plan.rid)}/1/${liar.id}`;
    const input = consortium.uploads.get(name)!;
    consortium.uploads.set(
      name,
      Uint8Array.from(input, (byte, k) => (k === 0 ? byte ^ 1 : byte)),
    );
    consortium.run();
    expect(consortium.job.closed[0]!.acks.size).toBe(0);
    for (const silo of consortium.silos) expect(silo.notices.map(({ code }) => code)).toContain('result/missing-input');
  });
});

describe('a coordinator that shows different things to different silos', () => {
  /** Replaces what silos from 3 on are told. */
  function split(consortium: MemoryConsortium, kind: string, change: (directive: Directive) => Directive): void {
    consortium.hooks.deliver = (silo, directive) =>
      directive.body?.$case === kind && silo.index >= 3 ? change(directive) : true;
  }

  it('cannot have two survivor sets signed: each signs the one it saw, and none reaches the threshold', () => {
    const consortium = one(5);
    split(consortium, 'confirm', (directive) => {
      if (directive.body?.$case !== 'confirm') return directive;
      const request = withOtherSum(consortium, directive.body.value.request!);
      return { ...directive, body: { $case: 'confirm', value: { request } } };
    });
    consortium.run();
    expect(consortium.job.closed[0]!.abandon).toBeDefined();
    for (const silo of consortium.silos) expect(silo.sent.map(({ type }) => type)).not.toContain('unmask');
    expect(consortium.rejections.map(({ rejection }) => rejection.code)).toContain('message/late');
  });

  it('cannot have a second survivor set of one attempt signed by a silo that signed the first', () => {
    const consortium = one(5);
    let tried = false;
    consortium.hooks.deliver = (silo, directive) => {
      if (directive.body?.$case !== 'unmask' || tried) return true;
      tried = true;
      const request = withOtherSum(consortium, directive.body.value.request!);
      silo.handle({ ...directive, body: { $case: 'confirm', value: { request } } });
      expect(codesOf(silo)).toEqual(['confirm/second-set']);
      return true;
    };
    consortium.run();
    expect(tried).toBe(true);
    for (const silo of consortium.silos) expect(distinctSent(silo, 'consistency')).toHaveLength(1);
  });

  it('cannot have a result believed on another sum than the one that was confirmed', () => {
    const consortium = one(5);
    split(consortium, 'result', (directive) => {
      if (directive.body?.$case !== 'result') return directive;
      const result = byCoordinator(consortium.founded, directive.body.value.result!, RoundResult, () => ({
        sumHash: new Uint8Array(32),
      }));
      return { ...directive, body: { $case: 'result', value: { ...directive.body.value, result } } };
    });
    consortium.run();
    expect([...consortium.job.closed[0]!.acks.keys()]).toEqual(consortium.silos.slice(0, 3).map(({ id }) => id));
    for (const silo of consortium.silos.slice(3)) expect(codesOf(silo)).toContain('result/wrong-transcript');
  });

  it('cannot have another new model acknowledged than the silo computes itself', () => {
    const consortium = one(5);
    split(consortium, 'result', (directive) => {
      if (directive.body?.$case !== 'result') return directive;
      const result = byCoordinator(consortium.founded, directive.body.value.result!, RoundResult, () => ({
        newModelHash: new Uint8Array(32).fill(9),
      }));
      return { ...directive, body: { $case: 'result', value: { ...directive.body.value, result } } };
    });
    consortium.run();
    expect(consortium.job.closed[0]!.acks.size).toBe(3);
    for (const silo of consortium.silos.slice(3))
      expect(silo.notices.map(({ code }) => code)).toContain('result/outcome');
  });
});

function withOtherSum(consortium: MemoryConsortium, request: Envelope): Envelope {
  return byCoordinator(consortium.founded, request, ConsistencyRequest, () => ({
    sumHash: new Uint8Array(32).fill(1),
  }));
}

describe('a silo that holds a receipt and is left out', () => {
  it('protests once, and neither signs nor releases', () => {
    const consortium = one(5);
    const left = consortium.silos[1]!;
    const told: Directive[] = [];
    consortium.hooks.deliver = (silo, directive) => {
      if (silo !== left || directive.body?.$case !== 'confirm') return true;
      const request = byCoordinator(
        consortium.founded,
        directive.body.value.request!,
        ConsistencyRequest,
        (message) => ({
          survivors: Uint8Array.of(0b11101),
          headers: message.headers.filter((_, k) => k !== 1),
        }),
      );
      const changed: Directive = { ...directive, body: { $case: 'confirm', value: { request } } };
      told.push(changed);
      return changed;
    };
    consortium.run(1);
    expect(left.sent.map(({ type }) => type)).toContain('protest');
    expect(left.sent.map(({ type }) => type)).not.toContain('consistency');
    expect(left.notices.map(({ code }) => code)).toContain('confirm/left-out');
    const records = left.journal.length;
    left.handle(told[0]!);
    left.handle(told[0]!);
    expect(left.journal).toHaveLength(records);
    expect(distinctSent(left, 'protest')).toHaveLength(1);
  });

  it('does not release when the others have signed without it', () => {
    const consortium = one(5);
    const left = consortium.silos[1]!;
    // The whole consortium is asked to sign a set without the silo, whose receipt arrived: a coordinator that censors.
    const drop = (message: ConsistencyRequest): Partial<ConsistencyRequest> => ({
      survivors: Uint8Array.of(0b11101),
      headers: message.headers.filter((_, k) => k !== 1),
    });
    let request: Envelope | undefined;
    consortium.hooks.deliver = (silo, directive) => {
      const { body } = directive;
      if (body?.$case !== 'confirm' || silo === left) return body?.$case !== 'confirm';
      request = byCoordinator(consortium.founded, body.value.request!, ConsistencyRequest, drop);
      return { ...directive, body: { $case: 'confirm', value: { request } } };
    };
    const signed: Envelope[] = [];
    let asked = false;
    consortium.hooks.arrive = (_, envelope) => {
      if (envelope.type !== 'consistency') return true;
      signed.push(envelope);
      if (signed.length === 4 && !asked) {
        asked = true;
        left.handle({ sequence: 1n, body: { $case: 'unmask', value: { request, consistency: signed } } });
      }
      return false;
    };
    consortium.run(1);
    expect(asked).toBe(true);
    expect(codesOf(left)).toContain('confirm/left-out');
    expect(left.sent.map(({ type }) => type)).not.toContain('unmask');
  });
});

describe('a message under the wrong name', () => {
  it('of another silo is refused, whichever message it is, and changes nothing', () => {
    const consortium = one(4);
    const thief = 'silo-003' as SiloId;
    const tried = new Set<string>();
    consortium.hooks.arrive = (silo, envelope) => {
      if (silo.id === thief) return true;
      tried.add(envelope.type);
      const before = consortium.coordinator;
      const stored = consortium.rejections.length;
      consortium.receive(thief, { envelope, ciphertexts: [] });
      expect(consortium.coordinator).toBe(before);
      expect(consortium.rejections.slice(stored).map(({ rejection }) => rejection.code)).toEqual([
        'envelope/wrong-signer',
      ]);
      consortium.receive(thief, { envelope: { ...envelope, signer: `silo/${thief}` }, ciphertexts: [] });
      expect(consortium.coordinator).toBe(before);
      return true;
    };
    consortium.run();
    expect(tried.size).toBeGreaterThanOrEqual(6);
    expect(consortium.job.closed[0]!.acks.size).toBe(4);
  });
});
