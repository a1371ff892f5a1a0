// P0 and P1: a plan comes; the silo checks it against its own policy and what it computed itself, then advertises fresh keys.

import { equalBytes, type SiloId, type UnixMs } from '../../base/index.js';
import { SecretBytes } from '../../crypto/index.js';
import { refuseOverflow } from '../../vector/index.js';
import { Abort, AdvertiseKeys, type Envelope, type SiloAttemptStarted } from '../../wire/index.js';
import { equalEnvelopes, openEnvelope, seal } from '../envelope.js';
import { layoutOfRound, type Manifest } from '../manifest.js';
import { cohortProblem, deadAfterAborts, graphWithstands } from '../params.js';
import { demandPlanFits, indexIn, openAttempt, openPlan, type Attempt, type Plan } from '../plan.js';
import { demand, demanded, demandOne, withEvidence } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { attemptSecrets } from '../secrets.js';
import { jobOf, withRound } from './change.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { demandBudget } from './ledger.js';
import { demandNextRound } from './next-round.js';
import { forgetDeadOpenings } from './openings.js';
import { effectiveMalicious, type JobState, type OpenRound, type SiloSelf, type SiloState } from './state.js';
import { openProofs } from '../proof.js';
import { openExclusions } from '../vote.js';
import { demandAwake, demandWitnessed, newestBody } from './witness.js';

const DAY_MS = 86_400_000;

export function onAttemptStarted(
  state: SiloState,
  at: UnixMs,
  event: JournalledEvent,
  value: SiloAttemptStarted,
): Accepted<SiloState> {
  const { self } = state;
  const plan = withEvidence(['plan/threshold', 'plan/cohort'], [value.plan], () => openPlan(self.roster, value.plan));
  const attempt = openAttempt(self.roster, value.attempt, plan.rid);
  const job = jobOf(state, plan.jobId);
  const { open } = job;
  if (
    open !== undefined &&
    equalBytes(open.plan.rid, plan.rid) &&
    attempt.attempt <= open.attempt.context.attempt.attempt
  )
    return { state, effects: resend(job, open, attempt) };
  if (plan.round <= job.closedRound) return { state, effects: [] };

  const index = demandPlan(state, job, plan);
  demandAwake(state, job, plan.round);
  demandWitnessed(state, job, plan, attempt, value.checkpoint);
  if (open === undefined) {
    demandDailyLimit(state, at);
    demandBudget(state, job, plan);
  }
  const excluded = [...openExclusions(job.manifest, value.exclusions), ...openProofs(job.manifest, value.proofs)];
  const carried = open === undefined ? undefined : leaveAttempt(state, job, open, attempt, value.aborts);
  const rho = SecretBytes.of<'rho'>(value.rho);
  const secrets = attemptSecrets(rho, plan.rid, attempt.attempt);
  const advertised = seal(self.signingKey, siloSigner(self.siloId), 'advertise', AdvertiseKeys, {
    rid: plan.rid,
    attempt: attempt.attempt,
    index,
    channelKey: secrets.channel.publicKey,
    maskKey: secrets.mask.publicKey,
    modelHash: job.modelHash,
    lastAckHash: job.lastAckHash,
    checkpoint: newestBody(state),
  });
  const context = { roster: plan.roster, manifest: job.manifest, plan, attempt };
  const roundSecret = carried?.roundSecret ?? SecretBytes.of<'round'>(value.roundSecret);
  const next: OpenRound = {
    plan,
    index,
    contribution: carried?.contribution ?? { kind: 'computing' },
    roundSecret,
    attempt: { context, phase: 'advertise', rho, advertised },
    abortedThrough: carried?.abortedThrough ?? 0,
    aborts: carried?.aborts ?? new Map(),
    releasedIn: carried?.releasedIn,
  };
  const effects: SiloEffect[] = [
    { kind: 'persist', event, emitted: [...(carried?.newAborts ?? []), advertised] },
    ...(carried?.newAborts ?? []).map((envelope): SiloEffect => submit(envelope)),
    submit(advertised),
  ];
  if (carried === undefined) effects.push({ kind: 'contribute', manifest: job.manifest, plan, roundSecret });
  const planned = {
    ...forgetDeadOpenings(state, job, value.aborts),
    recentPlans: carried === undefined ? [...within(state.recentPlans, at), at] : state.recentPlans,
  };
  const known = planned.jobs.get(plan.jobId) ?? job;
  return {
    state: withRound(planned, { ...known, excluded: new Set([...(job.excluded ?? []), ...excluded]) }, next),
    effects,
  };
}

/** Every rule of §2.3 P0 that a plan must meet here. Returns this silo's index. */
function demandPlan(state: SiloState, job: JobState, plan: Plan): number {
  const { self } = state;
  const { manifest } = job;
  demand(
    job.decision === 'approved',
    'plan/not-approved',
    `job "${plan.jobId}" is not approved by this silo's operator.`,
    'state',
  );
  demand(!job.ended, 'job/state', `job "${plan.jobId}" has ended.`, 'state');
  // A round that was open when the roster changed runs to its end under the epoch of its plan; none begins under an earlier one.
  const continues = job.open !== undefined && equalBytes(job.open.plan.rid, plan.rid);
  demand(
    continues || plan.roster.epoch === self.roster.epoch,
    'plan/roster-epoch',
    `the plan names epoch ${String(plan.roster.epoch)} of the roster, in force here is ${String(self.roster.epoch)}.`,
    'state',
  );
  demandPlanFits(plan, manifest);
  demandNextRound(job, plan, 'plan/round-order');
  const index = demanded(indexIn(plan, self.siloId), 'plan/cohort', 'this silo is not in the cohort.');
  const { policy } = self;
  const minCohort = Math.max(policy.minCohort, manifest.minCohort);
  demand(
    plan.n >= minCohort,
    'plan/floor-cohort',
    `the cohort has ${String(plan.n)} silos, at least ${String(minCohort)} are required here.`,
  );
  const problem = cohortProblem(plan.n, {
    c: effectiveMalicious(self, manifest),
    minCohort,
    minHonest: policy.minHonest,
  });
  demand(problem === undefined, 'plan/floor-honest', `${problem ?? ''}.`);
  demandGraph(self, manifest, plan);
  refuseOverflow(layoutOfRound(manifest, plan.round), plan.n, manifest.modulusBits);
  return index;
}

/** A graph with fewer masks is a matter of this silo's own policy, and must withstand what that policy assumes (§2.10). */
function demandGraph(self: SiloSelf, manifest: Manifest, { n, graph }: Plan): void {
  if (graph === undefined) return;
  demand(
    self.policy.graph === 'regular',
    'plan/graph-complete',
    "the job masks along a regular graph, this silo's policy demands the complete one (policy.graph).",
  );
  const c = effectiveMalicious(self, manifest);
  demand(
    graphWithstands(n, c, graph),
    'plan/graph-floor',
    `the graph is made for ${String(manifest.maxMalicious)} malicious silos, this silo assumes ${String(c)}.`,
  );
}

function demandDailyLimit(state: SiloState, at: UnixMs): void {
  const today = within(state.recentPlans, at).length;
  const { roundsPerDay } = state.self.policy;
  demand(
    today < roundsPerDay,
    'plan/rounds-per-day',
    `${String(today)} rounds in the last 24 hours, this silo's policy allows ${String(roundsPerDay)}.`,
    'limit',
  );
}

function within(times: readonly UnixMs[], at: UnixMs): UnixMs[] {
  return times.filter((time) => at - time < DAY_MS);
}

interface Carried {
  readonly contribution: OpenRound['contribution'];
  readonly roundSecret: OpenRound['roundSecret'];
  readonly abortedThrough: number;
  readonly aborts: OpenRound['aborts'];
  readonly newAborts: readonly Envelope[];
  readonly releasedIn: OpenRound['releasedIn'];
}

/** Leaves the current attempt for a later one: a signed Abort, or, after a release, proof that the earlier attempt is dead (§2.4). */
function leaveAttempt(
  state: SiloState,
  job: JobState,
  open: OpenRound,
  attempt: Attempt,
  aborts: readonly Envelope[],
): Carried {
  const current = open.attempt.context.attempt.attempt;
  const { contribution, roundSecret } = open;
  if (open.releasedIn !== undefined && open.releasedIn.attempt > open.abortedThrough) {
    const dead = open.releasedIn.attempt;
    const needed = deadAfterAborts(open.plan.n, effectiveMalicious(state.self, job.manifest), open.plan.graph);
    const proven = abortsOf(state, open, dead, aborts);
    demand(
      proven >= needed,
      'plan/released',
      `this silo released in attempt ${String(dead)}; ${String(proven)} signed aborts of it were shown, ${String(needed)} are needed.`,
    );
    return {
      contribution,
      roundSecret,
      abortedThrough: Math.max(open.abortedThrough, dead),
      aborts: open.aborts,
      newAborts: [],
      releasedIn: undefined,
    };
  }
  const abort = seal(state.self.signingKey, siloSigner(state.self.siloId), 'abort', Abort, {
    jobId: open.plan.jobId,
    rid: open.plan.rid,
    attempt: current,
    phase: open.attempt.phase,
    code: 'attempt/superseded',
    evidence: [attempt.envelope],
  });
  const earlier = open.aborts.get(current);
  return {
    contribution,
    roundSecret,
    abortedThrough: Math.max(open.abortedThrough, current),
    aborts: new Map(open.aborts).set(current, earlier ?? abort),
    newAborts: [earlier ?? abort],
    releasedIn: open.releasedIn,
  };
}

/** Distinct members of the cohort whose signed Abort covers `attempt`. An Abort of a later attempt forbids every earlier one too. */
function abortsOf(state: SiloState, open: OpenRound, attempt: number, aborts: readonly Envelope[]): number {
  const distinct = new Set<SiloId>();
  for (const envelope of aborts) {
    const silo = open.plan.cohort.find((member) => siloSigner(member) === envelope.signer);
    if (silo === undefined) continue;
    const { message } = openEnvelope(open.plan.roster, envelope, { type: 'abort', signer: siloSigner(silo) }, Abort);
    if (equalBytes(message.rid, open.plan.rid) && message.attempt >= attempt) distinct.add(silo);
  }
  return distinct.size;
}

/** The same plan again, after a reconnect: the same bytes go out again. */
function resend(job: JobState, open: OpenRound, attempt: Attempt): SiloEffect[] {
  const current = open.attempt.context.attempt;
  if (attempt.attempt < current.attempt) {
    const abort = open.aborts.get(attempt.attempt);
    return abort === undefined ? [] : [submit(abort)];
  }
  demandOne(
    equalEnvelopes(attempt.envelope, current.envelope),
    'plan/second-plan',
    'a second start with other bytes came for this attempt.',
    [current.envelope, attempt.envelope],
  );
  const { plan, roundSecret } = open;
  const compute: SiloEffect[] =
    open.contribution.kind === 'computing' ? [{ kind: 'contribute', manifest: job.manifest, plan, roundSecret }] : [];
  // Whoever has released waits for proof that the earlier attempt is dead: an Abort that was stored and not sent must not be lost.
  const signed = [...open.aborts.values(), open.attempt.advertised];
  return [...signed.map((envelope): SiloEffect => submit(envelope)), ...compute];
}
