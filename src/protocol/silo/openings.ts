// §3, the input rule: what was opened under the key of an input, and with whom. Its state spans all jobs of the silo.

import { hex } from '../../base/index.js';
import { siloAt } from '../check/context.js';
import type { SurvivorSet } from '../check/survivors.js';
import { smallestClass } from '../classes.js';
import type { Plan } from '../plan.js';
import { Abort, type Envelope } from '../../wire/index.js';
import { openEnvelope } from '../envelope.js';
import { deadAfterAborts } from '../params.js';
import { demand } from '../rejection.js';
import { siloSigner } from '../roster.js';
import type { Located } from './change.js';
import { effectiveMalicious, type JobState, type Opening, type OpenRound, type SiloState } from './state.js';

/**
 * §3: the same input may be opened again outside its own (job, round) with the same survivors, or with others as long as no difference of
 * the sums isolates few silos: every class of silos with equal membership over all openings of the key has at least minHonest + c members.
 * Whom t silos have voted to exclude, and who is proven to have cheated, is not counted: a class of these alone is what vote and proof
 * accept, so that nobody freezes a job.
 */
export function demandInputRule(state: SiloState, found: Located, survivors: SurvivorSet): void {
  const { job, open } = found;
  if (open.contribution.kind !== 'ready') return;
  const silos = siloSet(found, survivors);
  const reopened = new Set(job.manifest.message.reopenedKeys.map(hex));
  const { self } = state;
  const least = self.policy.minHonest + effectiveMalicious(self, job.manifest);
  for (const key of open.contribution.inputKeys) {
    if (reopened.has(hex(key))) continue;
    const before = (state.openings.get(hex(key)) ?? []).filter((o) => !isSameRound(o, open.plan));
    const other = before.find((o) => o.silos.join(',') !== silos.join(','));
    if (other === undefined) continue;
    const smallest = smallestClass([...before.map((o) => o.silos), silos], job.excluded);
    demand(
      smallest >= least,
      'confirm/input-rule',
      `this input was opened in round ${String(other.round)} of job "${other.jobId}" with other survivors; the difference would isolate ${String(smallest)} silos, at least ${String(least)} are required.`,
    );
  }
}

/**
 * What is signed or released counts as opened from then on. Which attempt of a round is opened is not known before its result, so every
 * set that was signed counts until then.
 */
export function recordOpening(state: SiloState, found: Located, survivors: SurvivorSet): SiloState {
  const { open } = found;
  if (!survivors.members.has(open.index)) return state;
  const silos = siloSet(found, survivors);
  return withOpenings(state, open, (known) =>
    known.some(
      (o) => isSameRound(o, open.plan) && o.silos.join(',') === silos.join(',') && o.attempt >= attemptOf(open),
    )
      ? known
      : [...known, openingOf(open, silos)],
  );
}

/** A verified result says which set was opened, and that no other one of the round was or will be (§1: one aggregate per round). */
export function settleOpening(state: SiloState, open: OpenRound, survivors: readonly number[]): SiloState {
  const silos = survivors.flatMap((index) => open.plan.cohort[index] ?? []);
  return withOpenings(state, open, (known) => {
    const others = known.filter((o) => !isSameRound(o, open.plan));
    return survivors.includes(open.index) ? [...others, openingOf(open, silos)] : others;
  });
}

function withOpenings(
  state: SiloState,
  open: OpenRound,
  change: (known: readonly Opening[]) => readonly Opening[],
): SiloState {
  if (open.contribution.kind !== 'ready') return state;
  const openings = new Map(state.openings);
  for (const key of open.contribution.inputKeys) {
    const changed = change(openings.get(hex(key)) ?? []);
    if (changed.length > 0) openings.set(hex(key), changed);
    else openings.delete(hex(key));
  }
  return { ...state, openings };
}

/**
 * What was signed in an attempt that can never be opened any more was not opened and will not be (§2.4): shown enough signed
 * Aborts of it, by distinct members of its cohort, it stops counting. `aborts`: of any rounds of the job.
 */
export function forgetDeadOpenings(state: SiloState, job: JobState, aborts: readonly Envelope[]): SiloState {
  if (aborts.length === 0 || (state.openings.size === 0 && job.forgottenSums === undefined)) return state;
  // Also of silos that are in the job and were removed from the roster since.
  const { roster } = job.manifest;
  const shown = aborts.flatMap((envelope) => {
    const silo = job.manifest.silos.find((member) => siloSigner(member) === envelope.signer);
    if (silo === undefined) return [];
    const { message } = openEnvelope(roster, envelope, { type: 'abort', signer: siloSigner(silo) }, Abort);
    return [{ silo, rid: hex(message.rid), attempt: message.attempt }];
  });
  const { policy } = state.self;
  const c = Math.max(policy.maliciousWhenForgetting ?? policy.maxMalicious, job.manifest.maxMalicious);
  const isDead = ({ jobId, rid, attempt, n, graph }: Opening): boolean => {
    if (jobId !== job.manifest.jobId) return false;
    // An Abort of an attempt forbids every earlier one, too.
    const silos = shown.filter((one) => one.rid === hex(rid) && one.attempt >= attempt).map(({ silo }) => silo);
    return new Set(silos).size >= deadAfterAborts(n, c, graph);
  };
  const openings = new Map<string, readonly Opening[]>();
  for (const [key, known] of state.openings) {
    const alive = known.filter((one) => !isDead(one));
    if (alive.length > 0) openings.set(key, alive);
  }
  const forgottenSums = job.forgottenSums?.filter((one) => !isDead(one));
  return { ...state, openings, jobs: new Map(state.jobs).set(job.manifest.jobId, { ...job, forgottenSums }) };
}

function openingOf(open: OpenRound, silos: Opening['silos']): Opening {
  const { jobId, round, rid, n, graph } = open.plan;
  return { jobId, round, rid, attempt: attemptOf(open), n, graph, silos };
}

function attemptOf({ attempt }: OpenRound): number {
  return attempt.context.attempt.attempt;
}

function isSameRound(opening: Opening, plan: Plan): boolean {
  return opening.jobId === plan.jobId && opening.round === plan.round;
}

function siloSet(found: Located, survivors: SurvivorSet): Opening['silos'] {
  return [...survivors.members.keys()].map((index) => siloAt(found.attempt.context, index));
}
