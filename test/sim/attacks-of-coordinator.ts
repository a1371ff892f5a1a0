// What a coordinator tries that is not honest (docs/protocol.md §6): told to one silo, or to some, in the place of the truth.

import { equalBytes, unixMs } from '../../src/base/index.js';
import { hash, LABELS } from '../../src/crypto/index.js';
import { COORDINATOR, evidenceOf, fromBitmap, seal, siloSigner, toBitmap } from '../../src/protocol/index.js';
import {
  Abandon,
  Abort,
  AdvertiseKeys,
  AttemptStart,
  ConsistencyRequest,
  decode,
  Exclude,
  Rollback,
  RoundPlan,
  RoundResult,
  type Envelope,
  type IndexedCiphertext,
  type KeysDirective,
  type StartDirective,
} from '../../src/wire/index.js';
import { byCoordinator, bySilo } from '../support/memory/readings.js';
import { unpackWords } from '../../src/vector/index.js';
import { COLLUDER, everybody, tellsInstead, VICTIM, type Attack, type Body, type Stage } from './attack.js';
import { uploadName } from './computations.js';

const WHOLE = 1 << 24;

/** The same start under another plan. */
function replanned({ simulation }: Stage, value: StartDirective, change: Partial<RoundPlan>): Body {
  const { founded } = simulation;
  const plan = byCoordinator(founded, value.plan!, RoundPlan, () => change);
  const rid = hash(LABELS.plan, plan.payload);
  const attempt = byCoordinator(founded, value.attempt!, AttemptStart, () => ({ rid }));
  return { $case: 'start', value: { ...value, plan, attempt } };
}

function plansFor(change: (plan: RoundPlan, stage: Stage) => Partial<RoundPlan>): NonNullable<Attack['play']> {
  return (stage) => {
    tellsInstead(stage, [VICTIM], 'start', (value) =>
      replanned(stage, value, change(decode(RoundPlan, 'plan', value.plan!.payload), stage)),
    );
  };
}

/** The same request about other survivors. */
function without({ simulation }: Stage, request: Envelope | undefined, gone: readonly number[]): Envelope {
  const n = simulation.silos.length;
  return byCoordinator(simulation.founded, request!, ConsistencyRequest, ({ survivors, headers }) => {
    const members = fromBitmap(survivors, n)!;
    return {
      survivors: toBitmap(
        members.filter((index) => !gone.includes(index)),
        n,
      ),
      headers: headers.filter((_, k) => !gone.includes(members[k]!)),
    };
  });
}

function changesSum(change: (sum: Float64Array, stage: Stage) => void): NonNullable<Attack['play']> {
  return (stage) => {
    stage.simulation.oracle.honestCoordinator = false;
    stage.simulation.coordinator.lieAboutSum = (sum) => {
      change(sum, stage);
    };
  };
}

/** The coordinator leaves one masked input out of the sum that all have signed for. */
function leavesOut(sum: Float64Array, { simulation }: Stage): void {
  const { state, uploads } = simulation.coordinator;
  const [job] = state.jobs.values();
  const { plan, attempt } = job!.open!;
  const name = uploadName(plan.rid, attempt.context.attempt.attempt, simulation.silos[VICTIM]!.id);
  const words = unpackWords(uploads.get(name)!, sum.length, job!.manifest.modulusBits);
  words.forEach((word, k) => (sum[k]! -= word));
}

/** Other ciphertexts in the places of those that were dealt to the victim. */
function tellsCiphertexts(
  stage: Stage,
  other: (one: IndexedCiphertext, k: number, all: readonly IndexedCiphertext[]) => Uint8Array,
): void {
  tellsInstead(stage, [VICTIM], 'shares', (value) => ({
    $case: 'shares',
    value: {
      ...value,
      ciphertexts: value.ciphertexts.map((one, k, all) => ({ ...one, ciphertext: other(one, k, all) })),
    },
  }));
}

/** The keys of the first round, or of the first job, in the place of those of the next. */
function replaysKeys(stage: Stage): void {
  let first: KeysDirective | undefined;
  tellsInstead(stage, [VICTIM], 'keys', (value) => {
    first ??= value;
    return { $case: 'keys', value: { ...value, advertised: first.advertised } };
  });
}

function abortBy({ simulation }: Stage, rid: Uint8Array): Envelope {
  const { id } = simulation.silos[COLLUDER]!;
  return seal(simulation.founded.keyOf(id), siloSigner(id), 'abort', Abort, {
    jobId: 'job-1',
    rid,
    attempt: 1,
    phase: 'confirm',
    code: 'attempt/superseded',
    evidence: [],
  });
}

/** After the release a second attempt is started in the place of the result, with the Aborts that the coordinator can get. */
function startsAgain(aborts: (stage: Stage, rid: Uint8Array) => Envelope[]): NonNullable<Attack['play']> {
  return (stage) => {
    let start: StartDirective | undefined;
    const { simulation } = stage;
    tellsInstead(stage, [VICTIM], 'start', (value) => {
      start = value;
      return { $case: 'start', value };
    });
    tellsInstead(stage, [VICTIM], 'result', () => {
      const { rid } = decode(AttemptStart, 'start', start!.attempt!.payload);
      const attempt = byCoordinator(simulation.founded, start!.attempt!, AttemptStart, () => ({ attempt: 2 }));
      return { $case: 'start', value: { ...start!, attempt, aborts: aborts(stage, rid) } };
    });
  };
}

/** Votes of those who help the coordinator, and of nobody else. */
function votes({ simulation }: Stage, by: readonly number[], excluded: number): Envelope[] {
  const { founded, silos, coordinator } = simulation;
  const [job] = coordinator.state.jobs.values();
  return by.map((voter) => {
    const { id: siloId } = silos[voter]!;
    const about = { siloId, manifestHash: job!.manifest.hash, excluded: silos[excluded]!.id };
    const message = { ...about, reason: 'it is in the way', atUnixMs: 1n };
    return seal(founded.keyOf(siloId), siloSigner(siloId), 'exclude', Exclude, message);
  });
}

function showsVotes(make: (stage: Stage) => Envelope[]): NonNullable<Attack['play']> {
  return (stage) => {
    tellsInstead(stage, [VICTIM], 'start', (value) => ({
      $case: 'start',
      value: { ...value, exclusions: make(stage) },
    }));
  };
}

export const COORDINATOR_ATTACKS: readonly Attack[] = [
  {
    attack: 'shows one silo another model',
    code: 'plan/model-mismatch',
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ modelHash }) => ({ modelHash: modelHash.map((byte) => byte ^ 1) })),
  },
  {
    attack: 'plans one round twice',
    code: 'plan/second-plan',
    convicts: ['coordinator second-plan'],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'start', (value) => [
        { $case: 'start', value },
        replanned(stage, value, { kemSuite: '' }),
      ]);
    },
  },
  {
    attack: 'lowers the threshold',
    code: 'plan/threshold',
    convicts: ['coordinator bad-plan'],
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ threshold }) => ({ threshold: threshold - 1 })),
  },
  {
    attack: 'packs the cohort with those who collude',
    code: 'plan/floor-honest',
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ cohort }) => ({ cohort: [cohort[VICTIM]!, cohort[2]!, cohort[COLLUDER]!], n: 3, threshold: 3 })),
  },
  {
    attack: 'makes the cohort small',
    code: 'plan/floor-cohort',
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ cohort }) => ({ cohort: [cohort[VICTIM]!, cohort[COLLUDER]!], n: 2, threshold: 2 })),
  },
  {
    attack: 'invents a silo',
    code: 'plan/cohort',
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ cohort }) => ({ cohort: [...cohort, 'silo-900'], n: 6, threshold: 5 })),
  },
  {
    attack: 'names one silo of the cohort twice',
    code: 'plan/cohort',
    convicts: ['coordinator bad-plan'],
    spared: [VICTIM],
    rounds: 1,
    play: plansFor(({ cohort }) => ({ cohort: [...cohort.slice(0, 4), cohort[3]!] })),
  },
  {
    attack: "leaves out a silo's own keys",
    code: 'keys/own-entry',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'keys', (value) => ({
        $case: 'keys',
        value: { ...value, advertised: value.advertised.filter((_, k) => k !== VICTIM) },
      }));
    },
  },
  {
    attack: 'repeats keys in the place of others',
    code: 'keys/repeated',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'keys', (value) => ({
        $case: 'keys',
        value: { ...value, advertised: value.advertised.map((one, k, all) => (k === 2 ? all[3]! : one)) },
      }));
    },
  },
  {
    attack: 'passes on a key of low order that a silo signed',
    code: 'keys/low-order',
    convicts: [`silo/silo-00${COLLUDER} low-order`],
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      const { founded, silos } = stage.simulation;
      tellsInstead(stage, [VICTIM], 'keys', (value) => ({
        $case: 'keys',
        value: {
          ...value,
          advertised: value.advertised.map((one, k) =>
            k === COLLUDER
              ? bySilo(founded, silos[COLLUDER]!.id, one, AdvertiseKeys, () => ({ maskKey: new Uint8Array(32) }))
              : one,
          ),
        },
      }));
    },
  },
  {
    attack: 'replays the keys of an earlier round',
    code: 'keys/wrong-round',
    rounds: 2,
    script: { rounds: 2 },
    play: replaysKeys,
  },
  {
    attack: 'replays the keys of another job',
    code: 'keys/wrong-round',
    rounds: 2,
    script: { jobs: 2 },
    play: replaysKeys,
  },
  {
    attack: 'flips ciphertexts to provoke complaints',
    code: 'share/ciphertext-hash',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsCiphertexts(stage, (one) => one.ciphertext.map((b) => b ^ 1));
    },
  },
  {
    attack: 'delivers a share that one dealer sealed in the place of that of another',
    code: 'share/ciphertext-hash',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsCiphertexts(stage, (_, k, all) => all[(k + 1) % all.length]!.ciphertext);
    },
  },
  {
    attack: 'shows two survivor sets to one silo',
    code: 'confirm/second-set',
    convicts: ['coordinator second-survivors'],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'confirm', ({ request }) => [
        { $case: 'confirm', value: { request } },
        { $case: 'confirm', value: { request: without(stage, request, [2]) } },
      ]);
    },
  },
  {
    attack: 'shows two survivor sets to two halves, neither of which is enough,',
    code: 'round/abandoned',
    convicts: ['coordinator second-survivors'],
    spared: everybody,
    rounds: 0,
    play: (stage) => {
      tellsInstead(stage, [VICTIM, 2], 'confirm', ({ request }) => {
        const other = without(stage, request, [3]);
        stage.shown.push({ code: 'round/abandoned', evidence: [request!, other], exhibits: undefined });
        return { $case: 'confirm', value: { request: other } };
      });
    },
  },
  {
    attack: 'asks for both kinds of shares of one silo',
    code: 'confirm/second-set',
    convicts: ['coordinator second-survivors'],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'unmask', (value) => [
        { $case: 'unmask', value },
        { $case: 'unmask', value: { ...value, request: without(stage, value.request, [2]) } },
      ]);
    },
  },
  {
    attack: 'asks for shares on fewer signatures than the threshold',
    code: 'unmask/too-few',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'unmask', (value) => ({
        $case: 'unmask',
        value: { ...value, consistency: [...value.consistency.slice(0, 3), value.consistency[0]!] },
      }));
    },
  },
  {
    attack: 'censors a silo whose upload it has confirmed',
    code: 'confirm/left-out',
    convicts: ['coordinator left-out'],
    spared: everybody,
    rounds: 0,
    play: (stage) => {
      tellsInstead(stage, everybody, 'confirm', ({ request }) => ({
        $case: 'confirm',
        value: { request: without(stage, request, [VICTIM]) },
      }));
      // The protest carries both: whoever sees it can judge.
      stage.simulation.silos[VICTIM]!.tamper = (out) => {
        const { envelope } = out;
        if (envelope.type === 'protest')
          stage.shown.push({ code: 'protest', evidence: [envelope], exhibits: undefined });
        return out;
      };
    },
  },
  {
    attack: 'announces fewer survivors than the threshold',
    code: 'confirm/too-few',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'confirm', ({ request }) => ({
        $case: 'confirm',
        value: { request: without(stage, request, [0, 2, 3]) },
      }));
      tellsInstead(stage, [VICTIM], 'unmask', (value) => ({
        $case: 'unmask',
        value: { ...value, request: without(stage, value.request, [0, 2, 3]) },
      }));
    },
  },
  ...(
    [
      ['by one', 1],
      ['by a multiple of the modulus', -(2 ** 32)],
      ['by the modulus of the fingerprints', 2 ** 61 - 1],
    ] as const
  ).map(
    ([how, by]): Attack => ({
      attack: `lies about the sum ${how}`,
      code: 'result/fingerprint',
      rounds: 1,
      play: changesSum((sum) => {
        sum[0]! += by;
      }),
    }),
  ),
  {
    attack: 'leaves an honest input out of the sum',
    code: 'result/fingerprint',
    rounds: 1,
    play: changesSum(leavesOut),
  },
  {
    attack: 'publishes another new model than follows from the sum',
    code: 'result/outcome',
    rounds: 1,
    play: (stage) => {
      const { founded } = stage.simulation;
      tellsInstead(stage, [VICTIM], 'result', (value) => ({
        $case: 'result',
        value: {
          ...value,
          result: byCoordinator(founded, value.result!, RoundResult, ({ newModelHash }) => ({
            newModelHash: newModelHash.map((byte) => byte ^ 1),
          })),
        },
      }));
    },
  },
  {
    attack: 'starts another attempt after a release, without proof that the last one is dead',
    code: 'plan/released',
    rounds: 1,
    play: startsAgain(() => []),
  },
  {
    attack: 'counts one Abort several times, and replays those of another round',
    code: 'plan/released',
    rounds: 1,
    play: startsAgain((stage, rid) => {
      const own = abortBy(stage, rid);
      return [own, own, own, own, abortBy(stage, new Uint8Array(32))];
    }),
  },
  {
    attack: 'opens one input in two jobs with other survivors',
    code: 'confirm/input-rule',
    rounds: 1,
    script: { jobs: 2, sameInputs: true, operations: [{ kind: 'no-input', silo: 3, round: 1, job: 2 }] },
  },
  {
    attack: 'withholds releases, so that a round is neither opened nor given up',
    code: 'round/burnt',
    rounds: 0,
    plant: { loses: (silo, type) => silo !== VICTIM && (type === 'unmask' || type === 'release-answer') },
    play: ({ simulation }) => {
      simulation.oracle.honestCoordinator = false;
    },
  },
  {
    attack: 'closes a round for one silo by an Abandon after its result',
    code: 'log/other-terminal',
    convicts: ['coordinator second-terminal'],
    rounds: 1,
    script: { log: true },
    play: (stage) => {
      const { founded, coordinator } = stage.simulation;
      tellsInstead(stage, [VICTIM], 'result', (value) => {
        const { rid } = decode(RoundResult, 'result', value.result!.payload, WHOLE);
        const jobs = [...coordinator.state.jobs.values()];
        const round = jobs.flatMap(({ closed }) => closed).find(({ plan }) => equalBytes(plan.rid, rid))!;
        const about = { jobId: round.plan.jobId, rid, round: round.plan.round, reason: 'given up', proof: [] };
        const abandon = seal(founded.coordinatorKey, COORDINATOR, 'abandon', Abandon, about);
        const plan = round.plan.envelope;
        stage.shown.push({ code: 'log/other-terminal', evidence: [value.result!, abandon], exhibits: undefined });
        return { $case: 'abandon', value: { abandon, plan, checkpoint: value.checkpoint } };
      });
    },
  },
  {
    attack: 'starts a round on a stale checkpoint',
    code: 'log/not-logged',
    rounds: 2,
    script: { rounds: 2, log: true },
    play: (stage) => {
      const { founded } = stage.simulation;
      let first: StartDirective | undefined;
      tellsInstead(stage, [VICTIM], 'start', (value) => {
        first ??= value;
        const { checkpoint } = decode(AttemptStart, 'start', first.attempt!.payload);
        const attempt = byCoordinator(founded, value.attempt!, AttemptStart, () => ({ checkpoint }));
        return { $case: 'start', value: { ...value, attempt, checkpoint: first.checkpoint } };
      });
    },
  },
  {
    attack: 'keeps two logs',
    code: 'log/no-quorum',
    convicts: ['coordinator fork', 'coordinator second-start'],
    rounds: 3,
    script: {
      rounds: 3,
      log: true,
      operations: [
        { kind: 'lie', lie: 'fork', silos: [VICTIM], at: 0, forMs: 90_000 },
        { kind: 'misdeed', silo: COLLUDER, misdeed: 'cosigns-both', type: 'cosign' },
      ],
    },
    play: ({ simulation, shown }) => {
      // What two silos were told stands together as soon as they compare.
      const starts: Envelope[] = [];
      shown.push({ code: 'log/no-quorum', evidence: starts, exhibits: undefined });
      for (const silo of simulation.silos)
        silo.overhear = (directive) => {
          const { body } = directive;
          const envelope = body?.$case === 'start' ? body.value.attempt : undefined;
          const isNew = starts.every(({ payload }) => !equalBytes(payload, envelope?.payload ?? payload));
          if (envelope !== undefined && isNew) starts.push(envelope);
          return directive;
        };
    },
  },
  {
    attack: 'has a silo excluded by the vote of one',
    code: 'vote/too-few',
    spared: [VICTIM],
    rounds: 1,
    play: showsVotes((stage) => votes(stage, [COLLUDER, COLLUDER, COLLUDER, COLLUDER], 3)),
  },
  {
    attack: 'forges votes to exclude a silo',
    code: 'envelope/bad-signature',
    spared: [VICTIM],
    rounds: 1,
    play: showsVotes((stage) =>
      votes(stage, [0, 1, 2, COLLUDER], 3)
        .map((one, k) => ({ ...one, signer: siloSigner(stage.simulation.silos[k]!.id) }))
        .map((one, k) => (k === 2 ? { ...one, signature: one.signature.map((byte) => byte ^ 1) } : one)),
    ),
  },
  {
    attack: 'puts an honest silo out by a proof that proves nothing',
    code: 'plan/no-proof',
    spared: [VICTIM],
    rounds: 1,
    play: (stage) => {
      tellsInstead(stage, [VICTIM], 'start', (value) => ({
        $case: 'start',
        value: {
          ...value,
          proofs: [evidenceOf({ code: '', detail: '', evidence: [value.plan!], exhibits: undefined }, unixMs(1))!],
        },
      }));
    },
  },
  {
    attack: 'keeps a silo in that is proven to deal wrong shares',
    code: 'message/barred',
    convicts: [`silo/silo-00${COLLUDER} bad-secret`],
    // The first is burnt; in the second the victim is one of those that are needed.
    rounds: 0,
    script: { rounds: 2, operations: [{ kind: 'misdeed', silo: COLLUDER, misdeed: 'bad-secret', type: 'ack' }] },
    play: (stage) => {
      const { silos } = stage.simulation;
      tellsInstead(stage, [VICTIM], 'keys', (value) => {
        const { id, state } = silos[COLLUDER]!;
        const own = [...state.jobs.values()][0]!.open?.attempt.advertised;
        const isThere = value.advertised.some(({ signer }) => signer === siloSigner(id));
        const advertised = isThere || own === undefined ? value.advertised : [...value.advertised, own];
        return { $case: 'keys', value: { ...value, advertised } };
      });
    },
  },
  {
    attack: 'rolls a model back by the vote of one',
    code: 'vote/too-few',
    rounds: 2,
    script: { rounds: 2 },
    play: (stage) => {
      const { founded, silos, coordinator } = stage.simulation;
      tellsInstead(stage, [VICTIM], 'start', (value) => {
        const { id: siloId } = silos[COLLUDER]!;
        const [job] = coordinator.state.jobs.values();
        const { previousResultHash: afterHash, manifest } = job!;
        const about = {
          siloId,
          manifestHash: manifest.hash,
          afterHash,
          baseRound: 0,
          baseModelHash: manifest.initialModelHash,
        };
        const message = { ...about, reason: 'it was better', atUnixMs: 1n };
        const vote = seal(founded.keyOf(siloId), siloSigner(siloId), 'rollback', Rollback, message);
        return [
          { $case: 'rollback', value: { votes: [vote, vote, vote, vote] } },
          { $case: 'start', value },
        ];
      });
    },
  },
];
