// P0: what a silo refuses to start (docs/protocol.md §2.3, §3).

import { describe, expect, it } from 'vitest';
import { unixMs, type SiloId } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import {
  advanceSilo,
  initialSiloState,
  seal,
  siloSigner,
  type SiloEvent,
  type SiloPolicy,
} from '../../../src/protocol/index.js';
import { Approval, AttemptStart, RoundPlan } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy } from '../../support/memory/founding.js';
import { byCoordinator, jobOf } from '../../support/memory/readings.js';
import { ofJob, signOrder } from '../../support/memory/orders.js';
import { otherBytes, refusedBySilo, until, type BodyOf } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

type Start = BodyOf<'start'>;

const consortium = new MemoryConsortium(5, {
  manifest: { silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'], roundLimit: 2 },
});
const { founded } = consortium;
const { silo, value } = until(consortium, 'start');

/** The start directive with other contents, signed by the coordinator. */
function start(
  plan: Partial<RoundPlan> = {},
  attempt: Partial<AttemptStart> = {},
  from: Start = value,
): { $case: 'start'; value: Start } {
  const changed = byCoordinator(founded, from.plan!, RoundPlan, () => plan);
  const begun = byCoordinator(founded, from.attempt!, AttemptStart, () => ({
    rid: hash(LABELS.plan, changed.payload),
    ...attempt,
  }));
  return {
    $case: 'start',
    value: { plan: changed, attempt: begun, aborts: [], exclusions: [], proofs: [], checkpoint: from.checkpoint },
  };
}

const COHORT = ['silo-000', 'silo-001', 'silo-002', 'silo-003'];

describe('a silo that is told to start', () => {
  const REFUSED: [string, string, Partial<RoundPlan>, Partial<AttemptStart>?][] = [
    ['a plan of a job that it does not know', 'plan/unknown-job', { jobId: 'job-2' }],
    ['a plan whose threshold is one less than floor(2n/3)+1', 'plan/threshold', { threshold: 2 }],
    ['a plan whose threshold is one more than floor(2n/3)+1', 'plan/threshold', { threshold: 4 }],
    ['a plan under another manifest', 'plan/wrong-manifest', { manifestHash: new Uint8Array(32) }],
    ['a plan of another protocol version', 'plan/invalid', { version: 2 }],
    ['a plan of another roster epoch', 'plan/roster-epoch', { rosterEpoch: 1n }],
    ['a plan with a key agreement that it does not know', 'plan/invalid', { kemSuite: 'x25519+ml-kem-768' }],
    ['a plan of round 0', 'plan/invalid', { round: 0 }],
    ['a plan whose n is not the size of its cohort', 'plan/invalid', { n: 5 }],
    ['a plan whose model hash has not 32 bytes', 'plan/invalid', { modelHash: new Uint8Array(31) }],
    ['a plan whose previous result has not 32 bytes', 'plan/invalid', { previousResultHash: new Uint8Array(33) }],
    ['a plan whose manifest hash has not 32 bytes', 'plan/invalid', { manifestHash: new Uint8Array(0) }],
    ['a plan of a job whose id is no name', 'plan/invalid', { jobId: 'Job 1' }],
    ['an attempt 0', 'plan/invalid', {}, { attempt: 0 }],
    ['a fourth attempt', 'plan/invalid', {}, { attempt: 4 }],
    ['an attempt of another plan', 'plan/invalid', {}, { rid: new Uint8Array(32) }],
    ['an attempt with a checkpoint', 'plan/reserved', {}, { checkpoint: Uint8Array.of(1) }],
    ['a cohort that is not sorted', 'plan/cohort', { cohort: ['silo-001', 'silo-000', 'silo-002', 'silo-003'] }],
    ['a cohort that names a silo twice', 'plan/cohort', { cohort: ['silo-000', 'silo-000', 'silo-002', 'silo-003'] }],
    [
      'a cohort that names something that is no silo',
      'plan/cohort',
      { cohort: ['silo-000', 'silo-001', 'silo-002', 'Silo'] },
    ],
    [
      'a cohort with a silo that is not in the job',
      'plan/cohort',
      { cohort: [...COHORT, 'silo-004'], n: 5, threshold: 4 },
    ],
    ['a cohort without itself', 'plan/cohort', { cohort: COHORT.slice(1), n: 3, threshold: 3 }],
    [
      'a cohort for which c malicious silos are too many',
      'plan/floor-honest',
      { cohort: COHORT.slice(0, 3), n: 3, threshold: 3 },
    ],
    ['a round that is not the next one', 'plan/round-order', { round: 2 }],
    ['a round beyond the limit of the manifest', 'plan/round-limit', { round: 3 }],
    [
      'a plan that does not follow from the last result',
      'plan/previous-result',
      { previousResultHash: new Uint8Array(32).fill(1) },
    ],
    ['a plan that starts from a model it did not compute', 'plan/model-mismatch', { modelHash: new Uint8Array(32) }],
  ];
  for (const [what, code, plan, attempt] of REFUSED)
    it(`refuses ${what}`, () => {
      expect(refusedBySilo(silo, start(plan, attempt))).toBe(code);
    });

  it('refuses a plan that the coordinator did not sign', () => {
    const plan = { ...value.plan!, signature: new Uint8Array(64) };
    expect(refusedBySilo(silo, { $case: 'start', value: { ...value, plan } })).toBe('envelope/bad-signature');
    const own = seal(
      founded.keyOf(silo.id),
      siloSigner(silo.id),
      'plan',
      RoundPlan,
      RoundPlan.decode(value.plan!.payload),
    );
    expect(refusedBySilo(silo, { $case: 'start', value: { ...value, plan: own } })).toBe('envelope/wrong-signer');
    expect(refusedBySilo(silo, { $case: 'start', value: { ...value, plan: undefined } })).toBe('envelope/wrong-type');
    expect(refusedBySilo(silo, { $case: 'start', value: { ...value, plan: value.attempt } })).toBe(
      'envelope/wrong-type',
    );
  });

  it('accepts the plan as it came', () => {
    expect(refusedBySiloOrAccepted(silo, start())).toBe('accepted');
  });
});

function refusedBySiloOrAccepted(one: MemorySilo, body: ReturnType<typeof start>): string {
  const before = one.state;
  try {
    return refusedBySilo(one, body);
  } catch {
    return one.state === before ? 'unchanged' : 'accepted';
  }
}

describe('a silo that has started', () => {
  const open = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
  const { silo: begun } = until(open, 'keys', 1);
  const first: Start = {
    plan: jobOf(begun).open!.plan.envelope,
    attempt: jobOf(begun).open!.attempt.context.attempt.envelope,
    aborts: [],
    exclusions: [],
    proofs: [],
    checkpoint: new Uint8Array(),
  };

  it('refuses a second plan with other bytes for the same round', () => {
    const other = otherBytes(open.founded, first.plan!);
    const attempt = byCoordinator(open.founded, first.attempt!, AttemptStart, () => ({
      rid: hash(LABELS.plan, other.payload),
    }));
    expect(refusedBySilo(begun, { $case: 'start', value: { ...first, plan: other, attempt } })).toBe(
      'plan/second-plan',
    );
  });

  it('refuses a second start with other bytes for the same attempt', () => {
    const attempt = otherBytes(open.founded, first.attempt!);
    expect(refusedBySilo(begun, { $case: 'start', value: { ...first, attempt } })).toBe('plan/second-plan');
  });

  it('answers the same start with the same keys, without a new record', () => {
    const sent = begun.sent.length;
    expect(refusedBySilo(begun, { $case: 'start', value: first })).toBe('accepted');
    expect(begun.sent.slice(sent)).toEqual([jobOf(begun).open!.attempt.advertised]);
  });

  it('takes a round that is closed for what it is: nothing to do', () => {
    const done = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const { value: old } = until(done, 'start');
    done.run();
    const [one] = done.silos;
    // The job is over here, and the plan is not even looked at.
    expect(refusedBySilo(one!, { $case: 'start', value: old })).toBe('accepted');
  });

  it('refuses the next round of a job that was closed', () => {
    const done = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
    done.run(1);
    const { silo: one, value: second } = until(done, 'start', 2);
    const order = signOrder(done.founded, { $case: 'abortJob', value: ofJob(done) });
    one.handle({ sequence: 1n, body: { $case: 'jobClosed', value: { jobId: 'job-1', reason: 'ended', order } } });
    expect(refusedBySilo(one, { $case: 'start', value: second })).toBe('job/state');
  });
});

describe("the floors of a silo's own policy", () => {
  function withPolicy(policy: Partial<SiloPolicy>): string {
    const one = new MemoryConsortium(5, { manifest: { minCohort: 3 } });
    const { value: told } = until(one, 'start');
    const strict = one.silos[0]!;
    const state = { ...strict.state, self: { ...strict.state.self, policy: { ...openPolicy, ...policy } } };
    const done = advanceSilo(state, {
      at: unixMs(1),
      event: { $case: 'attemptStarted', value: { ...told, rho: new Uint8Array(32), roundSecret: new Uint8Array(32) } },
    });
    return 'rejected' in done ? done.rejected.code : 'accepted';
  }

  it('cannot be lowered by manifest or plan: the smallest cohort', () => {
    expect(withPolicy({ minCohort: 6 })).toBe('plan/floor-cohort');
    expect(withPolicy({ minCohort: 5 })).toBe('accepted');
  });

  it('cannot be lowered by manifest or plan: the honest inputs of a sum', () => {
    // n = 5: t = 4, c = 1, so three honest ones.
    expect(withPolicy({ minHonest: 4 })).toBe('plan/floor-honest');
    expect(withPolicy({ minHonest: 3 })).toBe('accepted');
    expect(withPolicy({ minHonest: 1 })).toBe('plan/floor-honest');
  });

  it('cannot be lowered by manifest or plan: the malicious silos to assume', () => {
    expect(withPolicy({ maxMalicious: 2 })).toBe('plan/floor-honest');
    expect(withPolicy({ maxMalicious: 1 })).toBe('accepted');
  });

  it("count the manifest's smallest cohort where that is larger", () => {
    const one = new MemoryConsortium(5, { manifest: { minCohort: 5 } });
    const { silo: asked, value: told } = until(one, 'start');
    const cohort = ['silo-000', 'silo-001', 'silo-002', 'silo-003'];
    const plan = byCoordinator(one.founded, told.plan!, RoundPlan, () => ({ cohort, n: 4, threshold: 3 }));
    const attempt = byCoordinator(one.founded, told.attempt!, AttemptStart, () => ({
      rid: hash(LABELS.plan, plan.payload),
    }));
    expect(refusedBySilo(asked, { $case: 'start', value: { ...told, plan, attempt } })).toBe('plan/floor-cohort');
  });
});

describe('a silo without an approved and prepared job', () => {
  const self = {
    siloId: 'silo-000' as SiloId,
    signingKey: founded.keyOf('silo-000' as SiloId),
    roster: founded.roster,
    policy: openPolicy,
  };
  const manifest = jobOf(silo).manifest;
  const offered: SiloEvent = { $case: 'jobOffered', value: { manifest: manifest.envelope } };
  const decided = (approved: boolean): SiloEvent => ({
    $case: 'jobDecided',
    value: {
      approval: seal(self.signingKey, siloSigner(self.siloId), 'approval', Approval, {
        siloId: self.siloId,
        manifestHash: manifest.hash,
        approved,
        note: '',
        atUnixMs: 0n,
      }),
    },
  });
  const prepared = (refusedCode: string, modelHash: Uint8Array = manifest.initialModelHash): SiloEvent => ({
    $case: 'jobPrepared',
    value: { jobId: 'job-1', modelHash, refusedCode, refusedDetail: 'a column is missing', dataSet: 'records' },
  });
  const begin: SiloEvent = {
    $case: 'attemptStarted',
    value: { ...value, rho: new Uint8Array(32), roundSecret: new Uint8Array(32) },
  };

  function after(...events: SiloEvent[]): string {
    let state = initialSiloState(self);
    for (const event of events) {
      const done = advanceSilo(state, { at: unixMs(1), event });
      if ('rejected' in done) return done.rejected.code;
      state = done.accepted.state;
    }
    return 'accepted';
  }

  it('refuses to start before its operator has approved', () => {
    expect(after(offered, begin)).toBe('plan/not-approved');
  });
  it('refuses to start when its operator has refused', () => {
    expect(after(offered, decided(false), begin)).toBe('plan/not-approved');
  });
  it('refuses to prepare when its operator has refused', () => {
    expect(after(offered, decided(false), prepared(''))).toBe('plan/not-approved');
  });
  it('refuses to start before it is prepared', () => {
    expect(after(offered, decided(true), begin)).toBe('plan/not-prepared');
  });
  it('refuses to start when preparing failed', () => {
    expect(after(offered, decided(true), prepared('data/columns'), begin)).toBe('plan/not-prepared');
  });
  it('refuses to start when the first model computed here is another one', () => {
    expect(after(offered, decided(true), prepared('', new Uint8Array(32)), begin)).toBe('plan/not-prepared');
  });
  it('refuses a second decision', () => {
    expect(after(offered, decided(true), decided(false))).toBe('job/state');
  });
  it('refuses a decision about a manifest that was not offered', () => {
    expect(after(decided(true))).toBe('approval/unknown-manifest');
  });
  it('starts when approved and prepared', () => {
    expect(after(offered, decided(true), prepared(''), begin)).toBe('accepted');
  });
});
