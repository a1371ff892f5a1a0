// Each liar is caught in the act by the real state machines, and what is kept convicts it, alone, before a stranger who has the roster and
// the bytes. The same with a byte changed, or turned against somebody honest, convicts nobody.

import { describe, expect, it } from 'vitest';
import { evidenceFile, judgeEvidence, judgeEvidenceFile, memorySource } from '../../../src/audit/index.js';
import { concat, unixMs } from '../../../src/base/index.js';
import { hash, LABELS, verifySignatureIndependently } from '../../../src/crypto/index.js';
import { evidenceOf, readRoster, seal, siloSigner, toBitmap, type Rejection } from '../../../src/protocol/index.js';
import {
  Abandon,
  Abort,
  AdvertiseKeys,
  AttemptStart,
  Complaint,
  Consistency,
  ConsistencyRequest,
  decode,
  encode,
  EvidenceRecord,
  RoundPlan,
  ShareHeader,
  SharesChecked,
  Unmask,
  type Envelope,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { commitsToAnother, byCoordinator, bySilo } from '../../support/memory/readings.js';
import { until, untilSent } from '../../support/memory/refusals.js';
import { regularConsortium } from '../../support/memory/regular.js';

const one = (rounds = 1): MemoryConsortium => new MemoryConsortium(5, { manifest: { roundLimit: rounds } });

type Kept = Pick<Rejection, 'code' | 'evidence' | 'exhibits'>;

function recordOf({ code, evidence, exhibits }: Kept): EvidenceRecord {
  return decode(
    EvidenceRecord,
    'evidence',
    evidenceOf({ code, detail: 'a test', evidence, exhibits }, unixMs(5))!,
    1 << 23,
  );
}

/** "accused charge" of everybody convicted, with the second implementation of the signatures. */
function convicted(consortium: MemoryConsortium, record: EvidenceRecord, inputs: readonly Uint8Array[] = []): string[] {
  const { rosterBytes, roster } = consortium.founded;
  const file = concat(...evidenceFile({ roster: rosterBytes, records: [encode(EvidenceRecord, record)], inputs }));
  const [judgement] = judgeEvidenceFile(memorySource(file), roster.hash);
  return judgement!.convictions.map(({ accused, charge }) => `${accused} ${charge}`).sort();
}

/** The evidence convicts exactly these, and with any byte of any signed message or exhibit changed never anybody else. */
function expectConvicted(
  consortium: MemoryConsortium,
  kept: Kept,
  expected: readonly string[],
  inputs: readonly Uint8Array[] = [],
): void {
  const record = recordOf(kept);
  expect(convicted(consortium, record, inputs)).toEqual(expected);
  const without = (changed: EvidenceRecord): string[] => convicted(consortium, changed, inputs);
  record.envelopes.forEach((envelope, k) => {
    const swapped = (change: Partial<Envelope>): EvidenceRecord => ({
      ...record,
      envelopes: record.envelopes.map((other, at) => (at === k ? { ...envelope, ...change } : other)),
    });
    const bent = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const { payload, signature } = envelope;
    for (const changed of [
      swapped({ signature: bent(signature, 3) }),
      swapped({ payload: bent(payload, payload.length - 1) }),
      swapped({ signer: siloSigner(consortium.silos[4]!.id) }),
    ])
      expect(expected).toEqual(expect.arrayContaining(without(changed)));
  });
  // What every part of it is there for: with none of the messages there is no case.
  expect(without({ ...record, envelopes: [] })).toEqual([]);
}

/** What a silo refused with this code. */
function refused(consortium: MemoryConsortium, code: string): Kept {
  const found = [
    ...consortium.rejections.map(({ rejection }) => rejection),
    ...consortium.silos.flatMap((s) => s.rejections),
  ];
  const kept = found.find((rejection) => rejection.code === code);
  if (kept === undefined) throw new Error(`nobody refused anything with ${code}`);
  return kept;
}

const barredFor = (consortium: MemoryConsortium, index: number): Kept =>
  consortium.job.barred.get(consortium.silos[index]!.id)!;

describe('a malicious coordinator', () => {
  it('that plans one round twice is convicted by the two plans', () => {
    const consortium = one();
    const { silo, value } = until(consortium, 'keys');
    const { founded } = consortium;
    const plan = byCoordinator(founded, consortium.job.open!.plan.envelope, RoundPlan, () => ({ kemSuite: '' }));
    const rid = hash(LABELS.plan, plan.payload);
    const start = { rid, attempt: 1, checkpoint: new Uint8Array() };
    const attempt = seal(founded.coordinatorKey, 'coordinator', 'attempt-start', AttemptStart, start);
    silo.handle({
      sequence: 1n,
      body: {
        $case: 'start',
        value: { plan, attempt, aborts: [], exclusions: [], proofs: [], checkpoint: new Uint8Array() },
      },
    });
    expect(value).toBeDefined();
    expectConvicted(consortium, refused(consortium, 'plan/second-plan'), ['coordinator second-plan']);
  });

  it('that lowers the threshold, or repeats a silo in the cohort, is convicted by the plan alone', () => {
    for (const [code, change] of [
      ['plan/threshold', { threshold: 2 }],
      ['plan/cohort', { cohort: ['silo-000', 'silo-000', 'silo-001'], n: 3, threshold: 3 }],
    ] as const) {
      const consortium = one();
      const { silo, value } = until(consortium, 'start');
      const plan = byCoordinator(consortium.founded, value.plan!, RoundPlan, () => ({
        ...change,
        cohort: [...('cohort' in change ? change.cohort : decode(RoundPlan, 'plan', value.plan!.payload).cohort)],
      }));
      silo.handle({ sequence: 1n, body: { $case: 'start', value: { ...value, plan } } });
      expectConvicted(consortium, refused(consortium, code), ['coordinator bad-plan']);
      expect(silo.sent.map(({ type }) => type)).not.toContain('advertise');
    }
  });

  it('that announces two sums in one attempt is convicted by the two requests', () => {
    const consortium = one();
    const { silo, value } = until(consortium, 'unmask', 1);
    const request = byCoordinator(consortium.founded, value.request!, ConsistencyRequest, () => ({
      sumHash: new Uint8Array(32),
    }));
    silo.handle({ sequence: 1n, body: { $case: 'confirm', value: { request } } });
    const kept = refused(consortium, 'confirm/second-set');
    expectConvicted(consortium, kept, ['coordinator second-survivors']);
    expect(silo.sent.map(({ type }) => type)).not.toContain('unmask');
    // A silo that had confirmed both would stand beside it: with its two messages it does.
    const liar = consortium.silos[2]!;
    const own = consortium.job.open!.attempt.consistency.get(2)!.envelope;
    const { t2, survivors, headers } = decode(ConsistencyRequest, 'request', request.payload, 1 << 20);
    const t3 = hash(
      LABELS.t3,
      t2,
      survivors,
      ...headers.map(({ payload }) => hash(LABELS.maskedHeader, payload)),
      new Uint8Array(32),
    );
    const other = bySilo(consortium.founded, liar.id, own, Consistency, () => ({ t3 }));
    const both = { ...kept, evidence: [...kept.evidence, own, other] };
    expectConvicted(consortium, both, ['coordinator second-survivors', 'silo/silo-002 second-transcript']);
    // Without the requests nobody knows that the two are of one attempt.
    expect(convicted(consortium, recordOf({ ...kept, evidence: [own, other] }))).toEqual([]);
  });

  it('that gives a receipt and leaves its holder out is convicted by receipt and request', () => {
    const consortium = one();
    const { silo, value } = until(consortium, 'confirm', 1);
    const request = byCoordinator(consortium.founded, value.request!, ConsistencyRequest, ({ headers }) => ({
      survivors: Uint8Array.of(0b11101),
      headers: headers.filter((_, k) => k !== 1),
    }));
    silo.handle({ sequence: 1n, body: { $case: 'unmask', value: { request, consistency: [] } } });
    expectConvicted(consortium, refused(consortium, 'confirm/left-out'), ['coordinator left-out']);
    expect(silo.sent.map(({ type }) => type)).not.toContain('unmask');
    // The protest of the silo carries both.
    silo.handle({ sequence: 1n, body: { $case: 'confirm', value: { request } } });
    const protest = silo.sent.find(({ type }) => type === 'protest')!;
    expect(convicted(consortium, recordOf({ code: 'protest', evidence: [protest] }))).toEqual(['coordinator left-out']);
    // The honest request beside the same receipt convicts nobody.
    const receipt = refused(consortium, 'confirm/left-out').evidence[0]!;
    expect(convicted(consortium, recordOf({ code: 'x', evidence: [receipt, value.request!] }))).toEqual([]);
  });

  it('that announces fewer survivors than the threshold, or closes a round twice, is convicted', () => {
    const consortium = one();
    const { value } = until(consortium, 'confirm', 1);
    const { founded } = consortium;
    const plan = consortium.job.open!.plan.envelope;
    const few = byCoordinator(founded, value.request!, ConsistencyRequest, ({ headers }) => ({
      survivors: Uint8Array.of(0b00011),
      headers: headers.slice(0, 2),
    }));
    expectConvicted(consortium, { code: 'confirm/too-few', evidence: [plan, few] }, ['coordinator too-few']);
    expect(convicted(consortium, recordOf({ code: 'x', evidence: [plan, value.request!] }))).toEqual([]);
    consortium.run();
    const result = consortium.job.closed[0]!.result!;
    const { rid } = consortium.job.closed[0]!.plan;
    const abandon = seal(founded.coordinatorKey, 'coordinator', 'abandon', Abandon, {
      jobId: 'job-1',
      rid,
      round: 1,
      reason: '',
      proof: [],
    });
    expectConvicted(consortium, { code: 'log/other-terminal', evidence: [result.envelope, abandon] }, [
      'coordinator second-terminal',
    ]);
  });
});

describe('a malicious silo', () => {
  it('that signs two messages in one place is convicted by them', () => {
    const consortium = one();
    until(consortium, 'shares');
    const [first] = consortium.founded.silos;
    const before = consortium.job.open!.attempt.advertised.get(0)!.envelope;
    const other = bySilo(consortium.founded, first!, before, AdvertiseKeys, ({ maskKey }) => ({ channelKey: maskKey }));
    consortium.receive(first!, { envelope: other, ciphertexts: [] });
    expectConvicted(consortium, refused(consortium, 'message/conflict'), ['silo/silo-000 second-message']);
  });

  it('that advertises a key of low order, or repeats an ephemeral key, is convicted by that message', () => {
    const consortium = one();
    const keys = untilSent(consortium, 'advertise', 3);
    const low = bySilo(consortium.founded, keys.silo.id, keys.envelope, AdvertiseKeys, () => ({
      maskKey: new Uint8Array(32),
    }));
    consortium.receive(keys.silo.id, { envelope: low, ciphertexts: [] });
    expectConvicted(consortium, refused(consortium, 'keys/low-order'), ['silo/silo-003 low-order']);
    const dealt = untilSent(one(), 'share-header', 3);
    const again = one();
    const header = untilSent(again, 'share-header', 3);
    const repeated = bySilo(again.founded, header.silo.id, header.envelope, ShareHeader, ({ entries }) => ({
      entries: entries.map((entry, k) => (k === 1 ? { ...entry, ephemeralKey: entries[0]!.ephemeralKey } : entry)),
    }));
    again.receive(header.silo.id, { envelope: repeated, ciphertexts: [...header.ciphertexts] });
    expectConvicted(again, refused(again, 'share/repeated-key'), ['silo/silo-003 repeated-key']);
    expect(convicted(again, recordOf({ code: 'x', evidence: [keys.envelope, dealt.envelope] }))).toEqual([]);
  });

  it('that deals a share which does not open is convicted by its answer', () => {
    const consortium = badDealer();
    consortium.run();
    expectConvicted(consortium, barredFor(consortium, 3), ['silo/silo-003 bad-dealing']);
    const { evidence, exhibits } = barredFor(consortium, 3);
    const convictedWith = (change: Partial<NonNullable<typeof exhibits>>): string[] =>
      convicted(consortium, recordOf({ code: 'x', evidence, exhibits: { ...exhibits, ...change } }));
    // Another ciphertext, or another T1, is not what it signed.
    expect(convictedWith({ ciphertexts: [new Uint8Array(80)] })).toEqual([]);
    const keys = exhibits!.keys!;
    expect(convictedWith({ keys: { ...keys, attempt: 2 } })).toEqual([]);
    expect(convictedWith({ keys: { ...keys, advertised: keys.advertised.slice(0, 4) } })).toEqual([]);
  });

  it('that complains falsely is convicted by the answer, and an honest complaint never, whatever else its dealer signs', () => {
    const consortium = falseComplaint();
    consortium.run();
    const kept = barredFor(consortium, 1);
    expectConvicted(consortium, kept, ['silo/silo-001 false-complaint']);
    // The same complaint about another header that the dealer signed on the same T1: it proves nothing against who complained.
    const header = kept.evidence.find(({ type }) => type === 'share-header')!;
    const other = bySilo(consortium.founded, consortium.silos[3]!.id, header, ShareHeader, () => ({
      selfCommitment: new Uint8Array(32),
    }));
    const swapped = kept.evidence.map((envelope) => (envelope === header ? other : envelope));
    expect(convicted(consortium, recordOf({ ...kept, evidence: swapped }))).toEqual([]);
  });

  it('that releases a share which it had not been dealt is convicted by the commitment in T2', () => {
    const consortium = one();
    const { silo, envelope } = untilSent(consortium, 'unmask', 1);
    const bad = bySilo(consortium.founded, silo.id, envelope, Unmask, ({ selfShares: [first, ...rest] }) => ({
      selfShares: [{ ...first!, share: first!.share.map((byte) => byte ^ 1) }, ...rest],
    }));
    consortium.receive(silo.id, { envelope: bad, ciphertexts: [] });
    const kept = refused(consortium, 'unmask/bad-share');
    expectConvicted(consortium, kept, ['silo/silo-001 bad-share']);
    // The honest release in its place convicts nobody; nor does the bad one under a header that its dealer signs afterwards to frame it.
    const honest = kept.evidence.map((one) => (one.type === 'unmask' ? envelope : one));
    expect(convicted(consortium, recordOf({ ...kept, evidence: honest }))).toEqual([]);
    const dealer = consortium.silos[0]!;
    const framed = honest.map((one) =>
      one.type === 'share-header'
        ? bySilo(consortium.founded, dealer.id, one, ShareHeader, ({ entries }) => ({
            entries: entries.map((entry) => ({ ...entry, selfShareCommitment: new Uint8Array(32) })),
          }))
        : one,
    );
    expect(convicted(consortium, recordOf({ ...kept, evidence: framed }))).toEqual([]);
  });

  it('that releases both kinds of shares of one silo, or releases what it declared aborted, is convicted', () => {
    const consortium = one();
    const { silo, envelope } = untilSent(consortium, 'unmask', 1);
    const { survivors, context } = consortium.job.open!.attempt;
    const both = bySilo(consortium.founded, silo.id, envelope, Unmask, ({ selfShares }) => ({
      keyShares: selfShares.slice(0, 1),
    }));
    consortium.receive(silo.id, { envelope: both, ciphertexts: [] });
    expectConvicted(consortium, refused(consortium, 'unmask/shares'), ['silo/silo-001 both-kinds']);
    const abort = seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'abort', Abort, {
      jobId: 'job-1',
      rid: context.plan.rid,
      attempt: 1,
      phase: 'unmask',
      code: 'attempt/superseded',
      evidence: [],
    });
    const evidence = [abort, envelope, survivors!.request];
    expectConvicted(consortium, { code: 'x', evidence }, ['silo/silo-001 released-and-aborted']);
    expect(convicted(consortium, recordOf({ code: 'x', evidence: evidence.slice(1) }))).toEqual([]);
  });

  it('that deals shares off the polynomial is convicted by t of them', () => {
    const consortium = one();
    const dealer = consortium.silos[2]!;
    commitsToAnother(consortium, dealer);
    consortium.run();
    const kept = barredFor(consortium, 2);
    expectConvicted(consortium, kept, ['silo/silo-002 bad-secret']);
    const shares = [...kept.exhibits!.shares!];
    const convictedWith = (changed: typeof shares): string[] =>
      convicted(consortium, recordOf({ ...kept, exhibits: { ...kept.exhibits, shares: changed } }));
    expect(convictedWith(shares.slice(1))).toEqual([]);
    expect(convictedWith([shares[0]!, ...shares.slice(0, 3)])).toEqual([]);
    expect(convictedWith(shares.map((one) => ({ ...one, share: new Uint8Array(32) })))).toEqual([]);
  });

  it('whose shares along a regular graph do not give its secret is convicted by fewer of them and the plan that says how many', () => {
    const consortium = regularConsortium(13, { c: 1, absent: 2 });
    const dealer = consortium.silos[2]!;
    commitsToAnother(consortium, dealer);
    let requested: Envelope | undefined;
    consortium.hooks.deliver = (_, { body }) => {
      if (body?.$case === 'confirm') requested = body.value.request;
      return true;
    };
    consortium.run(1);
    const kept = barredFor(consortium, 2);
    const { shareThreshold } = consortium.job.closed[0]!.plan.graph!;
    expect(consortium.job.closed[0]!.abandon).toBeDefined();
    expect(kept.exhibits!.shares).toHaveLength(shareThreshold);
    expect(shareThreshold).toBeLessThan(consortium.job.closed[0]!.plan.t);
    expect(convicted(consortium, recordOf(kept))).toEqual(['silo/silo-002 bad-secret']);
    // Fewer survivors than n − a convict the coordinator, though they are more than t.
    const { plan } = consortium.job.closed[0]!;
    const request = byCoordinator(consortium.founded, requested!, ConsistencyRequest, () => ({
      survivors: toBitmap(
        Array.from({ length: plan.t }, (_, i) => i),
        plan.n,
      ),
    }));
    const few = { code: 'confirm/too-few', evidence: [plan.envelope, request] } as const;
    expect(convicted(consortium, recordOf(few))).toEqual(['coordinator too-few']);
    expect(convicted(consortium, recordOf({ ...few, evidence: [plan.envelope, requested!] }))).toEqual([]);
    // Without the plan nobody knows that so few shares are enough, and with one share less they are not.
    const planless = kept.evidence.filter(({ type }) => type !== 'plan');
    expect(convicted(consortium, recordOf({ ...kept, evidence: planless }))).toEqual([]);
    const fewer = { ...kept.exhibits, shares: kept.exhibits!.shares!.slice(1) };
    expect(convicted(consortium, recordOf({ ...kept, exhibits: fewer }))).toEqual([]);
  });

  it('that signs a fingerprint of another input is convicted by the input, and nobody is without it', () => {
    const consortium = one();
    const liar = consortium.silos[2]!;
    let input = new Uint8Array();
    liar.tamper = (envelope, ciphertexts) => {
      if (envelope.type !== 'consistency') return { envelope, ciphertexts };
      input = [...consortium.uploads].find(([name]) => name.endsWith(liar.id))![1].slice();
      return {
        envelope: bySilo(consortium.founded, liar.id, envelope, Consistency, ({ tau0 }) => ({ tau0: tau0 ^ 1n })),
        ciphertexts,
      };
    };
    let honest: Envelope | undefined;
    consortium.hooks.arrive = (silo, envelope) => {
      if (silo.index === 1 && envelope.type === 'consistency') honest = envelope;
      return true;
    };
    consortium.run();
    const kept = barredFor(consortium, 2);
    expectConvicted(consortium, kept, ['silo/silo-002 lying-fingerprint'], [input]);
    const bytes = encode(EvidenceRecord, recordOf(kept));
    const roster = readRoster(
      consortium.founded.rosterBytes,
      consortium.founded.roster.hash,
      verifySignatureIndependently,
    );
    const judgement = judgeEvidence(roster, bytes);
    expect(judgement.convictions).toEqual([]);
    expect(judgement.missing.join()).toContain('the masked input of silo/silo-002');
    // Another input has another root, and an honest fingerprint of another silo is not compared with this one.
    expect(convicted(consortium, recordOf(kept), [input.map((byte) => byte ^ 1)])).toEqual([]);
    const other = kept.evidence.map((one) => (one.type === 'consistency' ? honest! : one));
    expect(convicted(consortium, recordOf({ ...kept, evidence: other }), [input])).toEqual([]);
  });
});

describe('a whole honest run', () => {
  it('holds nothing that convicts anybody, its retries and catching up included', () => {
    const consortium = one(3);
    // Silo 4 loses an upload in the first round: a retry, aborts, a round without it.
    let lost = 0;
    consortium.hooks.arrive = ({ index }, { type }) => !(type === 'consistency' && index > 1 && lost++ < 3);
    consortium.run();
    const envelopes = [
      ...consortium.silos.flatMap(({ sent }) => sent),
      ...consortium.job.closed.flatMap(({ plan, result }) => [
        plan.envelope,
        ...(result === undefined ? [] : [result.envelope]),
      ]),
    ];
    const roster = readRoster(
      consortium.founded.rosterBytes,
      consortium.founded.roster.hash,
      verifySignatureIndependently,
    );
    const kinds = new Set<string>();
    // Every pair of one silo at least meets in one of these.
    for (const silo of ['coordinator', ...consortium.silos.map(({ id }) => siloSigner(id))]) {
      const own = [
        ...new Map(
          envelopes.filter(({ signer }) => signer === silo).map((e) => [Buffer.from(e.signature).toString('hex'), e]),
        ).values(),
      ];
      expect(own.length).toBeLessThanOrEqual(64);
      own.forEach(({ type }) => kinds.add(type));
      expect(judgeEvidence(roster, encode(EvidenceRecord, recordOf({ code: 'x', evidence: own }))).convictions).toEqual(
        [],
      );
    }
    expect(kinds.size).toBeGreaterThan(8);
  });
});

describe('a file', () => {
  it('that is no evidence is refused, and one under another roster', () => {
    const { rosterBytes, roster } = one().founded;
    const file = concat(...evidenceFile({ roster: rosterBytes, records: [], inputs: [] }));
    expect(() => judgeEvidenceFile(memorySource(file), roster.hash)).toThrow('holds no evidence');
    const bad = concat(...evidenceFile({ roster: rosterBytes, records: [Uint8Array.of(8, 9)], inputs: [] }));
    expect(() => judgeEvidenceFile(memorySource(bad), roster.hash)).toThrow('its version is 9');
    expect(() => judgeEvidenceFile(memorySource(bad), new Uint8Array(32))).toThrow('roster');
  });
});

/** Silo 3 signs a ciphertext for silo 1 that does not open, and answers the complaint with its true ephemeral secret. */
function badDealer(): MemoryConsortium {
  const consortium = one();
  const { founded } = consortium;
  const dealer = consortium.silos[3]!;
  let honest: { ciphertextHash: Uint8Array; headerHash: Uint8Array } | undefined;
  dealer.tamper = (envelope, ciphertexts) => {
    if (envelope.type !== 'share-header') return { envelope, ciphertexts };
    const broken = ciphertexts.map((bytes, k) => (k === 1 ? bytes.map((byte) => byte ^ 1) : bytes));
    const signed = bySilo(founded, dealer.id, envelope, ShareHeader, ({ entries }) => {
      honest = { ciphertextHash: entries[1]!.ciphertextHash, headerHash: hash(LABELS.shareHeader, envelope.payload) };
      const ciphertextHash = hash(LABELS.shareCiphertext, broken[1]!);
      return { entries: entries.map((entry, k) => (k === 1 ? { ...entry, ciphertextHash } : entry)) };
    });
    return { envelope: signed, ciphertexts: broken };
  };
  // Its own machine knows only the honest header.
  consortium.hooks.deliver = (silo, directive) => {
    const { body } = directive;
    if (silo !== dealer || body?.$case !== 'complaint') return true;
    const complaint = bySilo(founded, consortium.silos[1]!.id, body.value.complaint!, Complaint, () => honest!);
    return { ...directive, body: { $case: 'complaint', value: { ...body.value, complaint } } };
  };
  return consortium;
}

/** Silo 1 complains of silo 3, whose shares are good. */
function falseComplaint(): MemoryConsortium {
  const consortium = one();
  const liar = consortium.silos[1]!;
  liar.tamper = (envelope, ciphertexts) => {
    if (envelope.type === 'shares-checked') {
      const { t1 } = decode(SharesChecked, 'checked', envelope.payload);
      const { header, payload } = consortium.job.open!.attempt.offeredShares.get(3)!;
      const complaint = {
        t1,
        index: 1,
        dealer: 3,
        ciphertextHash: header.entries[1]!.ciphertextHash,
        headerHash: hash(LABELS.shareHeader, payload),
      };
      liar.world.submit(
        liar.id,
        seal(consortium.founded.keyOf(liar.id), siloSigner(liar.id), 'complaint', Complaint, complaint),
        [],
      );
    }
    return { envelope, ciphertexts };
  };
  return consortium;
}
