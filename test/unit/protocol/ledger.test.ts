// The silo's ledger: what is reserved, charged, refused and told to the log (docs/protocol.md §3 and §4.3).

import { describe, expect, it } from 'vitest';
import { unixMs, type JobId } from '../../../src/base/index.js';
import { epsilonOf, integerSensitivity, ORDERS, skellamRdp } from '../../../src/privacy/index.js';
import {
  accountOf,
  advanceSilo,
  costOfJob,
  initialSiloState,
  mechanismOf,
  replaySilo,
  roundsCharged,
  type Budget,
  type SiloState,
} from '../../../src/protocol/index.js';
import { decodeEntry } from '../../../src/transcript/index.js';
import {
  Ack,
  ChargeStatement,
  ClipKind,
  decode,
  encode,
  NoiseMechanism,
  SiloRecord,
  Visibility,
  type JobManifest,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy, powerSegment, seedFrom } from '../../support/memory/founding.js';
import { bySilo, distinctSent, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, until, untilSent } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const N = 4;
const D = 4;
const Q_MAX = 1000;
const VARIANCE = 4e6;
const DELTA = 1e-5;

const noisy = (roundLimit: number): Partial<JobManifest> => ({
  roundLimit,
  layout: {
    segments: [
      powerSegment(N),
      {
        name: 'delta',
        length: BigInt(D),
        quantiser: {
          $case: 'real',
          value: { clipKind: ClipKind.CLIP_KIND_L2, clip: 1, scale: Q_MAX, qMax: BigInt(Q_MAX) },
        },
        visibility: Visibility.VISIBILITY_NOISED,
        coarseStep: 0n,
      },
    ],
  },
  privacy: { epsilon: 10, delta: DELTA },
  noise: {
    mechanism: NoiseMechanism.NOISE_MECHANISM_SKELLAM,
    variance: VARIANCE,
    tail: 100_000n,
    rotated: false,
    recordSensitivity: 0,
  },
});

/** Epsilon of so many rounds, from the theorem itself. */
function epsilonAfter(rounds: number): number {
  const sensitivity = integerSensitivity(Q_MAX + Math.sqrt(D), D);
  const whole = ORDERS.filter((order) => Number.isInteger(order));
  return epsilonOf((order) => rounds * skellamRdp(sensitivity, VARIANCE, order), DELTA * (1 - 1e-6), whole).epsilon;
}

function withBudget(epsilon: number, changes: Partial<Budget> = {}, manifest = noisy(4), log = false) {
  const budget: Budget = { epsilon, delta: DELTA, withoutNoise: false, ...changes };
  const policy = { ...openPolicy, budgets: new Map([['records', budget]]) };
  return new MemoryConsortium(N, { manifest, policy, log });
}

const codes = (silo: MemorySilo): string[] => silo.rejections.map(({ code }) => code);

describe('the mechanism that a round is charged with', () => {
  it('is read from the manifest: what one silo can change, the noise, and who surely adds it', () => {
    const { manifest } = jobOf(until(new MemoryConsortium(N, { manifest: noisy(1) }), 'start').silo);
    // n = 4 is the smallest cohort that c = 1 allows: t = 3, of whom one reads and c may tell it theirs.
    expect(mechanismOf(manifest, 1)).toEqual({
      kind: 'skellam',
      variance: VARIANCE,
      l2: Q_MAX + Math.sqrt(D),
      dimensions: D,
      contributors: 2,
    });
  });
  it('is none where no noise is added', () => {
    expect(mechanismOf(jobOf(until(new MemoryConsortium(N), 'start').silo).manifest, 1)).toBeUndefined();
  });
});

describe('a budget', () => {
  it('lets rounds pass as long as their epsilon together is within it, and refuses the next with what is left', () => {
    const epsilon = epsilonAfter(2) * 1.001;
    const consortium = withBudget(epsilon);
    consortium.run(3);
    for (const silo of consortium.silos) {
      expect(codes(silo)).toContain('plan/budget');
      const account = accountOf(silo.state, 'records', 0.5);
      expect(account).toMatchObject({ delta: DELTA, roundsWithNoise: 2, roundsWithoutNoise: 0, reserved: 0 });
      expect(account.spent).toBeCloseTo(epsilonAfter(2), 9);
      expect(account.left).toBeCloseTo(epsilon - epsilonAfter(2), 9);
      const { detail } = silo.rejections.find(({ code }) => code === 'plan/budget')!;
      expect(detail).toContain(`its budget is ${String(epsilon)}`);
      expect(detail).toContain(`${(epsilon - epsilonAfter(2)).toPrecision(4)} of it is left`);
    }
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([true, true, false]);
  });

  it('of one data set says nothing of another', () => {
    const consortium = withBudget(1e-9);
    for (const silo of consortium.silos) silo.dataSet = 'others';
    consortium.run();
    expect(consortium.job.status).toBe('completed');
  });

  it('refuses rounds without noise, unless it says that they are let pass: then they are counted and cost nothing of it', () => {
    const refusing = withBudget(1, {}, { roundLimit: 1 });
    const { silo, value } = until(refusing, 'start');
    const done = advanceSilo(silo.state, {
      at: unixMs(1),
      event: { $case: 'attemptStarted', value: { ...value, rho: seedFrom('a'), roundSecret: seedFrom('b') } },
    });
    expect('rejected' in done && done.rejected.code).toBe('plan/without-noise');
    const allowing = withBudget(1, { withoutNoise: true }, { roundLimit: 2 });
    allowing.run();
    const account = accountOf(allowing.silos[0]!.state, 'records', DELTA);
    expect(account).toMatchObject({ spent: 0, left: 1, roundsWithNoise: 0, roundsWithoutNoise: 2 });
  });

  it('refuses a job whose data set was not noted when it was prepared', () => {
    const consortium = withBudget(10);
    for (const silo of consortium.silos) silo.dataSet = '';
    consortium.run(1);
    expect(codes(consortium.silos[0]!)).toContain('plan/budget');
  });

  it('counts a round that is open in another job and not charged yet', () => {
    const consortium = withBudget(epsilonAfter(1) * 1.001);
    const { silo, value } = until(consortium, 'start');
    const event = {
      $case: 'attemptStarted',
      value: { ...value, rho: seedFrom('a'), roundSecret: seedFrom('b') },
    } as const;
    const started = advanceSilo(silo.state, { at: unixMs(1), event });
    expect('accepted' in started).toBe(true);
    // The same open round, as if it were another job's.
    const job = ('accepted' in started ? started.accepted.state : silo.state).jobs.get('job-1' as JobId)!;
    const other = { ...job, manifest: { ...job.manifest, jobId: 'job-0' as JobId } };
    const both: SiloState = { ...silo.state, jobs: new Map(silo.state.jobs).set('job-0' as JobId, other) };
    expect(accountOf(both, 'records', DELTA)).toMatchObject({ reserved: 1, spent: 0 });
    const refused = advanceSilo(both, { at: unixMs(1), event });
    expect('rejected' in refused && refused.rejected.code).toBe('plan/budget');
  });

  it('that is lowered or set later leaves the journal readable, with everything charged', () => {
    const consortium = new MemoryConsortium(N, { manifest: noisy(2) });
    consortium.run();
    const [silo] = consortium.silos;
    const budgets = new Map([['records', { epsilon: 1e-6, delta: DELTA, withoutNoise: false }]]);
    const { self } = silo!.state;
    let state = initialSiloState({ ...self, policy: { ...self.policy, budgets } });
    for (const bytes of silo!.journal) {
      const done = replaySilo(state, bytes);
      if (!done.ok) throw new Error(done.error);
      state = done.value;
    }
    expect(roundsCharged(state, 'records')).toBe(2);
    expect(state.self.policy.budgets).toBe(budgets);
    expect(accountOf(state, 'records', 0.5)).toMatchObject({ left: 0, roundsWithNoise: 2 });
  });

  it('says before approval what all rounds of a job would cost and how many of them it covers', () => {
    const consortium = withBudget(epsilonAfter(3) * 1.001, {}, noisy(4));
    const { silo } = until(consortium, 'start');
    const { manifest } = jobOf(silo);
    const cost = costOfJob(silo.state, manifest, 'records', 0.5);
    expect(cost).toMatchObject({ rounds: 4, covered: 3, epsilon: { before: 0 } });
    expect(cost.epsilon!.after).toBeCloseTo(epsilonAfter(4), 9);
    consortium.run(2);
    expect(costOfJob(silo.state, manifest, 'records', 0.5)).toMatchObject({ rounds: 2, covered: 1 });
  });
});

describe('the ledger of a silo that is killed after any one of its records', () => {
  const ROUNDS = 1;
  const plain = withBudget(100, {}, noisy(ROUNDS));
  plain.run();
  const [observed] = plain.silos;

  /** Rounds of which a masked byte has left. */
  const left = (consortium: MemoryConsortium, silo: MemorySilo): number =>
    new Set(
      [...consortium.uploads.keys()].filter((name) => name.endsWith(`/${silo.id}`)).map((name) => name.split('/')[0]),
    ).size;

  it('has at every moment charged what has left, and in the end each round once', () => {
    expect(observed!.journal.length).toBeGreaterThan(12);
    for (let at = 1; at <= observed!.journal.length; at++) {
      const consortium = withBudget(100, {}, noisy(ROUNDS));
      const silo = consortium.silos[at % N]!;
      silo.afterRecord = (count) => {
        expect(roundsCharged(silo.state, 'records')).toBeGreaterThanOrEqual(left(consortium, silo));
        if (count !== at) return;
        const before = roundsCharged(silo.state, 'records');
        silo.crash();
        silo.restart();
        // Nothing that was durable is lost, and nothing is charged that was not.
        expect(roundsCharged(silo.state, 'records')).toBe(before);
        expect(before).toBeGreaterThanOrEqual(left(consortium, silo));
      };
      consortium.run();
      expect(consortium.job.status).toBe('completed');
      expect(roundsCharged(silo.state, 'records')).toBe(ROUNDS);
      expect(accountOf(silo.state, 'records', DELTA).spent).toBeCloseTo(epsilonAfter(ROUNDS), 9);
    }
  });

  it('would be found short if the charge came after the upload: the check above can fail', () => {
    const consortium = withBudget(100, {}, noisy(1));
    const [silo] = consortium.silos;
    let short = 0;
    silo!.afterRecord = () => {
      const forgetful = { ...silo!.state, ledger: new Map() };
      if (roundsCharged(forgetful, 'records') < left(consortium, silo!)) short++;
    };
    consortium.run();
    expect(short).toBeGreaterThan(0);
  });
});

describe('what the log is told of charges', () => {
  it('is one entry for each acknowledged round of a silo that masked an input, counted through without gaps', () => {
    const consortium = withBudget(100, {}, noisy(2), true);
    // Nothing of silo 3 is masked in round 1.
    const idle = consortium.silos[3]!;
    const usual = idle.input;
    idle.input = (round, length) => (round === 1 ? undefined : usual(round, length));
    consortium.run();
    const told = consortium.log
      .map((entry) => decodeEntry(entry))
      .filter(({ kind }) => kind === 'ledger-charge')
      .map(({ job, round, subject, body }) => {
        const { dataSet, rounds } = decode(ChargeStatement, 'charge', body.bytes);
        const id = subject.slice('silo/'.length);
        expect(dataSet).toEqual(seedFrom(`version ${id}`));
        return `${job} ${String(round)} ${id} ${String(rounds)}`;
      });
    const silos = ['silo-000', 'silo-001', 'silo-002'];
    expect(told.sort()).toEqual(
      [...silos.flatMap((id) => [`job-1 1 ${id} 1`, `job-1 2 ${id} 2`]), 'job-1 2 silo-003 1'].sort(),
    );
  });

  it('is in the signed acknowledgement, also of a round that was abandoned after inputs had left', () => {
    const consortium = new MemoryConsortium(N, { manifest: noisy(1) });
    consortium.hooks.deliver = (_, { body }) => body?.$case !== 'unmask';
    consortium.run();
    expect(consortium.job.closed[0]!.abandon).toBeDefined();
    for (const silo of consortium.silos) {
      const [ack] = distinctSent(silo, 'ack');
      expect(decode(Ack, 'ack', ack!.payload).charge?.rounds).toBe(1n);
    }
  });

  it('is refused when it names no data set or no round', () => {
    const consortium = new MemoryConsortium(N, { manifest: noisy(1) });
    const { silo, envelope } = untilSent(consortium, 'ack', 1);
    for (const charge of [
      { dataSet: new Uint8Array(31), rounds: 1n },
      { dataSet: new Uint8Array(32), rounds: 0n },
    ]) {
      const forged = bySilo(consortium.founded, silo.id, envelope, Ack, () => ({ charge }));
      expect(refusedByCoordinator(consortium, silo.id, forged)).toBe('message/unexpected');
    }
  });

  it('is nothing for a record of a version that did not note the version of the data set', () => {
    const consortium = new MemoryConsortium(N, { manifest: { roundLimit: 1 } });
    consortium.run();
    const [silo] = consortium.silos;
    let state = initialSiloState(silo!.state.self);
    const signed: Ack[] = [];
    for (const bytes of silo!.journal) {
      const record = decode(SiloRecord, 'record', bytes, 1 << 24);
      if (record.event?.$case === 'contributionReady') record.event.value.dataSetVersion = new Uint8Array();
      const again = decode(SiloRecord, 'record', encode(SiloRecord, record), 1 << 24);
      const done = advanceSilo(state, { at: unixMs(Number(again.atUnixMs)), event: again.event! });
      if (!('accepted' in done)) throw new Error(done.rejected.detail);
      state = done.accepted.state;
      for (const effect of done.accepted.effects)
        if (effect.kind === 'persist')
          for (const { type, payload } of effect.emitted) if (type === 'ack') signed.push(decode(Ack, 'ack', payload));
    }
    expect(signed).toHaveLength(1);
    expect(signed[0]!.charge).toBeUndefined();
    expect(roundsCharged(state, 'records')).toBe(1);
  });
});
