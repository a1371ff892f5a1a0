// P0 and P1: a round is opened with a signed plan, key advertisements are gathered, U1 is closed.

import { asSiloId, compareBytes, equalBytes, utf8, type SiloId, type UnixMs } from '../../base/index.js';
import {
  AdvertiseKeys,
  AttemptStart,
  decode,
  RoundPlan,
  type CoordinatorRoundOpened,
  type Envelope,
} from '../../wire/index.js';
import { closeKeys, openAdvertised } from '../check/advertised.js';
import { seal } from '../envelope.js';
import { lastRound } from '../manifest.js';
import { cohortProblem, graphFor, thresholdFor } from '../params.js';
import { demandPlanFits, openAttempt, openPlan, PLAN_VERSION, type Plan } from '../plan.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR } from '../roster.js';
import { demandNotBarred } from './bar.js';
import {
  isStopped,
  alreadyStored,
  ANSWERED,
  attemptOf,
  enterPhase,
  inOrder,
  jobOf,
  stored,
  withAttempt,
  withEntry,
  withJob,
  type Located,
} from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import { checkpointFor } from './log.js';
import type { CoordinatorAttempt, CoordinatorJob, CoordinatorState } from './state.js';

export function onRoundOpened(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorRoundOpened,
): Accepted<CoordinatorState> {
  const job = jobOf(state, value.jobId);
  const { manifest } = job;
  demand(job.open === undefined, 'job/state', 'a round of the job is open.', 'state');
  demand(job.status === 'offered' || job.status === 'running', 'job/state', `the job is ${job.status}.`, 'state');
  const number = job.closed.length + 1;
  demand(
    number <= lastRound(manifest) && !isStopped(job),
    'plan/round-limit',
    'the job has had its last round.',
    'state',
  );
  const cohort = value.cohort
    .map((silo): SiloId => demanded(asSiloId(silo), 'plan/cohort', `"${silo}" is not a silo id.`))
    .sort((a, b) => compareBytes(utf8(a), utf8(b)));
  for (const silo of cohort)
    demand(job.approvals.has(silo), 'plan/not-approved', `${silo} has not approved the job.`, 'state');
  const problem = cohortProblem(cohort.length, {
    c: manifest.maxMalicious,
    minCohort: manifest.minCohort,
    minHonest: 2,
    graph: manifest.graph,
  });
  demand(problem === undefined, 'plan/floor-cohort', `${problem ?? ''}.`);
  const { self } = state;
  const envelope = seal(self.signingKey, COORDINATOR, 'plan', RoundPlan, {
    version: PLAN_VERSION,
    jobId: manifest.jobId,
    manifestHash: manifest.hash,
    round: number,
    rosterEpoch: self.roster.epoch,
    previousResultHash: job.previousResultHash,
    modelHash: job.modelHash,
    cohort,
    n: cohort.length,
    threshold: thresholdFor(cohort.length),
    kemSuite: 'x25519',
    graph: manifest.graph && graphFor(cohort.length, manifest.maxMalicious, manifest.graph),
  });
  const plan = openPlan(self.roster, envelope);
  demandPlanFits(plan, manifest);
  const attempt = startAttempt(state, job, plan, 1, at);
  const next = withJob(state, {
    ...job,
    status: 'running',
    open: {
      plan,
      startedAt: at,
      signed: [],
      attempt,
      aborts: new Map(),
      timeline: [{ attempt: 1, phase: 'advertise', at }],
      notes: [],
      protests: new Map(),
    },
  });
  return stored(next, event, [envelope, attempt.context.attempt.envelope]);
}

/** A fresh attempt of a plan, with its signed start. */
export function startAttempt(
  state: CoordinatorState,
  job: CoordinatorJob,
  plan: Plan,
  number: number,
  at: UnixMs,
): CoordinatorAttempt {
  const { self } = state;
  const envelope = seal(self.signingKey, COORDINATOR, 'attempt-start', AttemptStart, {
    rid: plan.rid,
    attempt: number,
    checkpoint: checkpointFor(state, job),
  });
  return {
    context: {
      roster: plan.roster,
      manifest: job.manifest,
      plan,
      attempt: openAttempt(self.roster, envelope, plan.rid),
    },
    phase: 'advertise',
    since: at,
    startedBy: state.events,
    advertised: new Map(),
    offeredShares: new Map(),
    ciphertexts: new Map(),
    checkedBy: new Map(),
    complaints: new Map(),
    masked: new Map(),
    receipts: new Map(),
    declined: new Map(),
    closing: false,
    consistency: new Map(),
    releases: new Map(),
    answers: new Map(),
    finishing: false,
  };
}

export function onAdvertised(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const named = decode(AdvertiseKeys, 'advertise', envelope.payload);
  const found = attemptOf(state, named.rid, named.attempt);
  const { attempt } = found;
  const advertised = openAdvertised(attempt.context, envelope);
  if (alreadyStored(attempt.advertised.get(advertised.index)?.envelope, envelope))
    return { state, effects: [ANSWERED] };
  demandNotBarred(found, advertised.index);
  demand(attempt.phase === 'advertise', 'message/late', 'the keys of this attempt are closed.', 'state');
  // Whoever repeats a key is turned away here: once in U1, it would keep the set from ever being closed.
  const others = [...attempt.advertised.values()].flatMap((one) => [one.channelKey, one.maskKey]);
  const { channelKey, maskKey } = advertised;
  demand(
    !equalBytes(channelKey, maskKey) && !others.some((key) => equalBytes(key, channelKey) || equalBytes(key, maskKey)),
    'keys/repeated',
    'a key of this advertisement is used twice in this attempt.',
  );
  return stored(
    withAttempt(state, found, { advertised: withEntry(attempt.advertised, advertised.index, advertised) }),
    event,
  );
}

/** U1 is closed: everybody in it gets everybody's keys. */
export function closeAdvertise(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { attempt } = found;
  const keys = closeKeys(
    attempt.context,
    inOrder(attempt.advertised).map((one) => one.envelope),
  );
  return stored(enterPhase(state, found, at, 'share', { keys, keysBy: state.events }), event);
}
