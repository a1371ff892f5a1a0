// P0: a round's plan and its attempts, as both sides read them. What is checked here follows from the signed objects alone; a silo's
// own floors are checked in silo/advertise.ts.

import { asHash, asJobId, asSiloId, equalBytes, LIMITS, type Hash, type JobId, type SiloId } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import type { GraphParameters } from '../privacy/index.js';
import { AttemptStart, RoundPlan, type Envelope } from '../wire/index.js';
import { openEnvelope } from './envelope.js';
import { isSortedUnique, lastRound, type Manifest } from './manifest.js';
import { graphFor, leastOf, thresholdFor } from './params.js';
import { demand, demanded } from './rejection.js';
import { COORDINATOR, type Roster } from './roster.js';
import { rosterOfEpoch } from './succession.js';

export const PLAN_VERSION = 1;
/** What previous_result_hash is in round 1. */
export const NO_PREVIOUS = new Uint8Array(32);

export interface Plan {
  readonly rid: Hash;
  /** The epoch that it names. */
  readonly roster: Roster;
  readonly jobId: JobId;
  readonly round: number;
  readonly cohort: readonly SiloId[];
  readonly n: number;
  readonly t: number;
  /** The masking graph where it is not the complete one. */
  readonly graph: GraphParameters | undefined;
  /** Members that U1, U2 and U3 have at least: t, and n − a with a regular graph. */
  readonly least: number;
  readonly modelHash: Hash;
  readonly previousResultHash: Hash;
  readonly manifestHash: Hash;
  readonly envelope: Envelope;
}

export interface Attempt {
  readonly rid: Hash;
  readonly attempt: number;
  /** H("attempt", payload), which T1 begins with. */
  readonly hash: Hash;
  /** Body of the checkpoint it rests on; empty while the consortium keeps no log. */
  readonly checkpoint: Uint8Array;
  readonly envelope: Envelope;
}

/** Opens a plan without knowing its job. */
export function openPlan(roster: Roster, envelope: Envelope | undefined): Plan {
  const { message, payload } = openEnvelope(roster, envelope, { type: 'plan', signer: COORDINATOR }, RoundPlan);
  const valid = (holds: boolean, what: string): void => {
    demand(holds, 'plan/invalid', `the plan is not valid: ${what}.`);
  };
  valid(
    message.version === PLAN_VERSION,
    `version ${String(message.version)}, this program knows ${String(PLAN_VERSION)}`,
  );
  const named = demanded(
    rosterOfEpoch(roster, message.rosterEpoch),
    'plan/roster-epoch',
    `the plan names epoch ${String(message.rosterEpoch)} of the roster, known here are those up to ${String(roster.epoch)}.`,
    'state',
  );
  valid(
    message.kemSuite === '' || message.kemSuite === 'x25519',
    'it names a key agreement that this program does not know',
  );
  valid(message.round >= 1, 'rounds count from 1');
  valid(message.n === message.cohort.length, 'n is not the size of the cohort');
  const cohort = message.cohort.map((silo) =>
    demanded(asSiloId(silo), 'plan/cohort', `"${silo.slice(0, 80)}" is not a silo id.`),
  );
  demand(isSortedUnique(cohort), 'plan/cohort', 'the cohort is not sorted and unique.');
  // What its numbers must be follows from the manifest (demandPlanFits); before that they only have to be harmless.
  valid((message.graph?.absent ?? 0) <= message.n - message.threshold, 'its graph has more silos absent than n - t');
  demand(
    message.threshold === thresholdFor(message.n),
    'plan/threshold',
    `the threshold for ${String(message.n)} silos is ${String(thresholdFor(message.n))}, the plan says ${String(message.threshold)}.`,
  );
  return {
    rid: hash(LABELS.plan, payload),
    roster: named,
    jobId: demanded(asJobId(message.jobId), 'plan/invalid', 'the job id is not a name.'),
    round: message.round,
    cohort,
    n: message.n,
    t: message.threshold,
    graph: message.graph,
    least: leastOf(message.n, message.graph),
    modelHash: demanded(asHash(message.modelHash), 'plan/invalid', 'the model hash has not 32 bytes.'),
    previousResultHash: demanded(
      asHash(message.previousResultHash),
      'plan/invalid',
      'the previous result hash has not 32 bytes.',
    ),
    manifestHash: demanded(asHash(message.manifestHash), 'plan/invalid', 'the manifest hash has not 32 bytes.'),
    // The signature was checked above, so the envelope is there.
    envelope: demanded(envelope, 'plan/invalid', 'no plan.'),
  };
}

/** What must hold between a plan and the manifest it names, for anybody. */
export function demandPlanFits(plan: Plan, manifest: Manifest): void {
  demand(equalBytes(plan.manifestHash, manifest.hash), 'plan/wrong-manifest', 'the plan names another manifest.');
  demand(
    plan.round <= lastRound(manifest),
    'plan/round-limit',
    `the job has ${String(lastRound(manifest))} rounds, the plan opens ${String(plan.round)}.`,
  );
  demand(
    plan.roster.epoch >= manifest.roster.epoch,
    'plan/roster-epoch',
    `the plan names epoch ${String(plan.roster.epoch)} of the roster, the job was made under epoch ${String(manifest.roster.epoch)}.`,
  );
  const inJob = new Set<string>(manifest.silos);
  for (const silo of plan.cohort) {
    demand(inJob.has(silo), 'plan/cohort', `${silo} is in the cohort and not in the job.`);
    demand(
      plan.roster.members.has(silo),
      'plan/cohort',
      `${silo} is in the cohort and not in epoch ${String(plan.roster.epoch)} of the roster.`,
    );
  }
  const graph = manifest.graph && graphFor(plan.n, manifest.maxMalicious, manifest.graph);
  demand(
    (manifest.graph === undefined) === (plan.graph === undefined) &&
      graph?.degree === plan.graph?.degree &&
      graph?.shareThreshold === plan.graph?.shareThreshold &&
      graph?.absent === plan.graph?.absent,
    'plan/graph',
    `the plan has ${graphWords(plan.graph)}; from the manifest follows ${graphWords(graph)}.`,
  );
}

function graphWords(graph: GraphParameters | undefined): string {
  if (graph === undefined) return 'the complete masking graph';
  const { degree, shareThreshold, absent } = graph;
  return `a graph of degree ${String(degree)}, threshold ${String(shareThreshold)} and ${String(absent)} absent`;
}

export function openAttempt(roster: Roster, envelope: Envelope | undefined, rid: Hash): Attempt {
  const { message, payload } = openEnvelope(
    roster,
    envelope,
    { type: 'attempt-start', signer: COORDINATOR },
    AttemptStart,
  );
  demand(equalBytes(message.rid, rid), 'plan/invalid', 'the attempt belongs to another plan.');
  demand(
    message.attempt >= 1 && message.attempt <= LIMITS.attemptsPerRound,
    'plan/invalid',
    `a round has attempts 1 to ${String(LIMITS.attemptsPerRound)}, this one is ${String(message.attempt)}.`,
  );
  demandCheckpointFits(roster, message.checkpoint, 'plan/reserved');
  return {
    rid,
    attempt: message.attempt,
    hash: hash(LABELS.attempt, payload),
    checkpoint: message.checkpoint,
    // The signature was checked above, so the envelope is there.
    envelope: demanded(envelope, 'plan/invalid', 'no attempt.'),
  };
}

/** A consortium with a log names a checkpoint wherever there is room for one, and a consortium without names none. */
export function demandCheckpointFits(
  roster: Roster,
  checkpoint: Uint8Array,
  code: 'plan/reserved' | 'keys/reserved',
): void {
  const kept = roster.logKey !== undefined;
  demand(
    kept === checkpoint.length > 0,
    code,
    kept
      ? 'the consortium keeps a transparency log, and no checkpoint is named.'
      : 'the consortium keeps no transparency log: the checkpoint must be empty.',
  );
}

/** The silo's position in the cohort; undefined when it is not in it. */
export function indexIn(plan: Plan, silo: SiloId): number | undefined {
  const index = plan.cohort.indexOf(silo);
  return index < 0 ? undefined : index;
}
