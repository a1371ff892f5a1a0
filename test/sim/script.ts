// A simulation is a seed, a size and a list of operations: everything that goes wrong, and when. Leaving an operation out gives a simpler
// simulation, which is how a failure is shrunk.

import type { SignedType } from '../../src/crypto/index.js';
import { cohortProblem, defaultMalicious } from '../../src/protocol/index.js';
import { Random } from '../fuzz/random.js';
import type { Edge } from './disk.js';

export type LinkFault = 'drop' | 'duplicate' | 'delay' | 'lose-answer' | 'partition' | 'cut';

/** What a coordinator that is not honest does, to some silos and not to others. */
export const LIES = [
  'sum',
  'survivors',
  'dealers',
  'keys',
  'start',
  'result',
  'withhold',
  'replay',
  'both-types',
  'flip',
  'fork',
] as const;
export type Lie = (typeof LIES)[number];

export const MISDEEDS = [
  'bad-shares',
  'bad-secret',
  'false-complaint',
  'lying-tau',
  'wrong-root',
  'silent',
  'garbage-release',
  'other-bytes',
  'cosigns-both',
] as const;
/** `scripted`: what it does comes with the actor that plays it (attacks.ts). */
export type Misdeed = (typeof MISDEEDS)[number] | 'scripted';

export type Operation =
  | {
      readonly kind: 'link';
      readonly silo: number;
      readonly at: number;
      readonly forMs: number;
      readonly fault: LinkFault;
    }
  | {
      /** Messages of one type are lost on the way, again and again. */
      readonly kind: 'lose';
      readonly silo: number;
      readonly type: SignedType;
      readonly at: number;
      readonly forMs: number;
    }
  | { readonly kind: 'kill'; readonly who: number; readonly at: number; readonly forMs: number }
  | {
      readonly kind: 'trap';
      readonly who: number;
      readonly record: number;
      readonly edge: Edge;
      readonly effects: number;
      readonly forMs: number;
    }
  | { readonly kind: 'rollback'; readonly silo: number; readonly at: number; readonly back: number }
  | {
      readonly kind: 'no-input';
      readonly silo: number;
      readonly round: number;
      /** Left out: in all jobs. */
      readonly job?: number;
    }
  | { readonly kind: 'misdeed'; readonly silo: number; readonly misdeed: Misdeed; readonly type: SignedType }
  | {
      readonly kind: 'lie';
      readonly lie: Lie;
      readonly silos: readonly number[];
      readonly at: number;
      readonly forMs: number;
    };

/** In `who`. */
export const COORDINATOR_PROCESS = -1;

export interface Script {
  readonly seed: number;
  readonly silos: number;
  readonly jobs: number;
  /** All jobs begin from one model and ask for the same inputs: what is opened in one counts in the others (docs/protocol.md §3). */
  readonly sameInputs?: boolean;
  readonly rounds: number;
  /** c of the manifest. */
  readonly malicious: number;
  /** The consortium keeps a transparency log. */
  readonly log?: boolean;
  /** Masks run along a regular graph: how many may be absent, and the smallest cohort that has one. */
  readonly graph?: { readonly absent: number; readonly minCohort: number };
  readonly operations: readonly Operation[];
}

/** Below this a regular graph saves next to nothing. */
const GRAPH_FROM = 8;

/** Nothing goes wrong after this, counted from the beginning. */
export const QUIET_AFTER_MS = 90_000;

const LINK_FAULTS: readonly LinkFault[] = ['drop', 'duplicate', 'delay', 'lose-answer', 'partition', 'cut'];
const EDGES: readonly Edge[] = ['lost', 'torn', 'full', 'after', 'after', 'after'];
const SILENT: readonly SignedType[] = [
  'advertise',
  'share-header',
  'shares-checked',
  'masked-header',
  'consistency',
  'unmask',
  'release-answer',
  'ack',
];

/** Mostly small: what breaks breaks with few, and a round costs n^2 and more. */
function sizeOf(random: Random, lo: number, hi: number): number {
  const top = random.once(25) ? hi : random.once(4) ? Math.min(hi, 9) : Math.min(hi, 5);
  return lo + random.below(Math.max(lo, top) - lo + 1);
}

export function generate(seed: number, lo: number, hi: number): Script {
  const random = new Random(seed, 'script', 0);
  const silos = sizeOf(random, lo, hi);
  const jobs = random.once(silos > 9 ? 16 : 8) ? 2 : 1;
  const rounds = 1 + random.below(silos > 9 ? 1 : silos > 5 ? 2 : 3);
  let malicious = random.once(3) ? defaultMalicious(silos) : Math.min(1, defaultMalicious(silos));
  while (cohortProblem(silos, { c: malicious, minCohort: 3, minHonest: 2 }) !== undefined && malicious > 0) malicious--;
  const operations: Operation[] = [];
  const silo = (): number => random.below(silos);
  const time = (): number => random.below(QUIET_AFTER_MS);
  const busy = random.below(4);
  const add = (count: number, make: () => Operation): void => {
    for (let k = random.below(count + 1); k > 0; k--) operations.push(make());
  };
  if (busy > 0) {
    add(3 * busy, () => ({
      kind: 'link',
      silo: silo(),
      at: random.below(random.once(2) ? 3_000 : QUIET_AFTER_MS / 2),
      forMs: random.once(3) ? 20_000 : 200 + random.below(3_000),
      fault: random.pick(LINK_FAULTS),
    }));
    add(2 * busy, () => ({
      kind: 'trap',
      who: random.once(3) ? COORDINATOR_PROCESS : silo(),
      record: 1 + random.below(random.once(2) ? 20 : 60),
      edge: random.pick(EDGES),
      effects: random.below(4),
      forMs: random.once(2) ? random.below(400) : random.below(15_000),
    }));
    add(busy, () => ({
      kind: 'kill',
      who: random.once(3) ? COORDINATOR_PROCESS : silo(),
      at: random.once(2) ? random.below(3_000) : time(),
      forMs: random.once(2) ? random.below(500) : random.below(30_000),
    }));
    if (random.once(4)) add(1, () => ({ kind: 'no-input', silo: silo(), round: 1 + random.below(rounds) }));
  }
  if (random.once(3)) {
    // A storm: many leave within a short while, in the middle of a round.
    const at = 1_000 + random.below(6_000);
    const spread = random.pick([50, 500, 5_000]);
    const forMs = random.pick([1_000, 15_000, 40_000]);
    for (let who = 0; who < silos; who++) {
      if (random.once(2)) continue;
      const when = at + random.below(spread);
      if (random.once(2)) operations.push({ kind: 'kill', who, at: when, forMs: random.below(forMs) });
      else operations.push({ kind: 'link', silo: who, at: when, forMs, fault: random.pick(LINK_FAULTS) });
    }
  }
  const bad = new Set<number>();
  if (malicious > 0 && random.once(3))
    for (let k = 0; k < malicious; k++) {
      const who = silo();
      if (bad.has(who)) continue;
      bad.add(who);
      if (random.once(4))
        operations.push({ kind: 'rollback', silo: who, at: random.below(20_000), back: 1 + random.below(12) });
      else operations.push({ kind: 'misdeed', silo: who, misdeed: random.pick(MISDEEDS), type: random.pick(SILENT) });
    }
  if (random.once(5))
    add(3, () => ({
      kind: 'lie',
      lie: random.pick(LIES),
      silos: Array.from({ length: silos }, (_, i) => i).filter(() => random.once(2)),
      at: 0,
      forMs: random.once(2) ? QUIET_AFTER_MS : random.below(QUIET_AFTER_MS),
    }));
  operations.push(...failingDisks(seed, silos));
  const log = new Random(seed, 'log', 0).once(2);
  if (log && new Random(seed, 'fork', 0).once(12)) operations.push(...fork(seed, silos, malicious, bad));
  if (log && new Random(seed, 'late', 0).once(6)) operations.push(...late(seed, silos));
  // Somebody is missing in one of the jobs that ask for the same inputs: the other survivors are what the input rule is for.
  const sameInputs = jobs > 1 && new Random(seed, 'same inputs', 0).once(2);
  if (sameInputs) operations.push({ kind: 'no-input', silo: silo(), round: 1, job: jobs });
  return {
    seed,
    silos,
    jobs,
    ...(sameInputs && { sameInputs }),
    rounds,
    malicious,
    log,
    ...regular(seed, silos, malicious),
    operations,
  };
}

/** Disks that report an error and leave it open what they have written, in one of four seeds. */
function failingDisks(seed: number, silos: number): Operation[] {
  const random = new Random(seed, 'io', 0);
  if (!random.once(4)) return [];
  return Array.from({ length: 1 + random.below(2) }, (): Operation => {
    const who = random.once(3) ? COORDINATOR_PROCESS : random.below(silos);
    return { kind: 'trap', who, record: 1 + random.below(60), edge: 'io', effects: 0, forMs: random.below(5_000) };
  });
}

/** A regular graph for some of the larger ones, with room for all who may be malicious and one more. */
function regular(seed: number, silos: number, malicious: number): Pick<Script, 'graph'> {
  const random = new Random(seed, 'graph', 0);
  const absent = malicious + 1 + random.below(2);
  if (silos < GRAPH_FROM || !random.once(2)) return {};
  const bounds = { c: malicious, minCohort: 3, minHonest: 2, graph: { absent } };
  if (cohortProblem(silos, bounds) !== undefined) return {};
  let minCohort = silos;
  while (cohortProblem(minCohort - 1, bounds) === undefined) minCohort--;
  return { graph: { absent, minCohort } };
}

/** One silo comes late, and the others are slow to cosign what it brings: rounds begin on a checkpoint that it was never shown. */
function late(seed: number, silos: number): Operation[] {
  const random = new Random(seed, 'late', 1);
  const who = random.below(silos);
  const forMs = 500 + random.below(6_000);
  const others = Array.from({ length: silos }, (_, i) => i).filter((i) => i !== who);
  return [
    { kind: 'kill', who, at: 0, forMs },
    ...others.map((silo): Operation => {
      const at = forMs - random.below(400);
      return { kind: 'lose', silo, type: 'cosign', at, forMs: 2_000 + random.below(12_000) };
    }),
  ];
}

/** Two logs, and as many as may collude to cosign both. */
function fork(seed: number, silos: number, malicious: number, bad: ReadonlySet<number>): Operation[] {
  const random = new Random(seed, 'fork', 1);
  const colluding = new Set(bad);
  while (colluding.size < malicious) colluding.add(random.below(silos));
  const lie: Operation = {
    kind: 'lie',
    lie: 'fork',
    silos: Array.from({ length: silos }, (_, i) => i).filter((i) => !colluding.has(i) && random.once(2)),
    at: random.below(4_000),
    forMs: random.once(2) ? QUIET_AFTER_MS : random.below(20_000),
  };
  const cosign = [...colluding].filter((silo) => !bad.has(silo));
  return [
    lie,
    ...cosign.map((silo): Operation => ({ kind: 'misdeed', silo, misdeed: 'cosigns-both', type: 'cosign' })),
  ];
}

/** Silos whose conduct is not that of an honest one, or whose disk was set back without a log that tells them. */
export function maliciousOf({ operations, log }: Script): ReadonlySet<number> {
  return new Set(
    operations.flatMap((one) =>
      one.kind === 'misdeed' || (one.kind === 'rollback' && log !== true) ? [one.silo] : [],
    ),
  );
}
