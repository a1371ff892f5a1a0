// Who takes part in the next round, of those who are there. While the model stays, the inputs stay, and a silo signs a sum only if its difference
// from those that count as opened tells no few silos apart (docs/protocol.md §2.4, §3): so a round after one that was burnt or rejected is
// planned for a sum that silos will sign. Nothing rests on it but progress, since each silo applies the rule itself.

import { equalBytes, type SiloId } from '../../base/index.js';
import { smallestClass } from '../classes.js';
import type { Manifest } from '../manifest.js';
import { cohortProblem, deadAfterAborts, leastOf } from '../params.js';
import type { ClosedRound, CoordinatorJob } from './state.js';

/** Rounds planned for the same few, one after the other, that ended without a result and without proof: then everybody is asked again. */
const VAIN_ROUNDS = 2;
/** As the coordinator demands it of a plan; a silo's own policy may ask for more. */
const MIN_HONEST = 2;

type Silos = readonly SiloId[];

/**
 * The cohort of the next round, of `there`: those who are heard, and the barred, who count among the absent. Undefined when they are too few.
 * It is all of them, unless silos that signed or opened a sum over the same model would refuse one with the others, and not one over those
 * who were in it.
 */
export function nextCohort(job: CoordinatorJob, there: Silos): Silos | undefined {
  if (!isPossible(job, there)) return undefined;
  const counted = countedAsOpened(job);
  const thoseIn = (sum: Silos): Silos => there.filter((silo) => sum.includes(silo) || job.barred.has(silo));
  const candidates = [there, ...[...counted].reverse().map(thoseIn)];
  const isLetThrough: readonly ((cohort: Silos) => boolean)[] = [
    // Surely: it is one class, of t silos at least, and no policy asks for more.
    (cohort) => counted.every((sum) => areSame(job, sum, cohort)),
    (cohort) => hasLargeClasses(job, counted, cohort),
    // Perhaps: silos may have forgotten all but the newest.
    (cohort) => counted.slice(-1).every((sum) => areSame(job, sum, cohort)),
  ];
  for (const isSigned of isLetThrough) {
    const cohort = candidates.find((one) => isPossible(job, one) && isSigned(one));
    if (cohort !== undefined) return vainWith(job, cohort) < VAIN_ROUNDS ? cohort : there;
  }
  return there;
}

/** Whether a round over these can be planned, and opened if all of them that are heard come. */
function isPossible(job: CoordinatorJob, cohort: Silos): boolean {
  const { maxMalicious: c, minCohort, graph } = job.manifest;
  const problem = cohortProblem(cohort.length, { c, minCohort, minHonest: MIN_HONEST, graph });
  return problem === undefined && heardOf(job, cohort).length >= leastOf(cohort.length, graph);
}

/** A barred silo is never waited for and never heard. */
function heardOf({ barred }: CoordinatorJob, cohort: Silos): Silos {
  return cohort.filter((silo) => !barred.has(silo));
}

/** Survivors of the sums over the inputs of the model as it is: those that were opened, and those that silos may have signed. */
function countedAsOpened({ closed, manifest, modelHash }: CoordinatorJob): Silos[] {
  return closed
    .filter(({ plan }) => equalBytes(plan.modelHash, modelHash))
    .flatMap((round) => (round.result === undefined ? signedIn(round, manifest) : [round.survivors]));
}

/** What was signed in an abandoned round, until enough of its silos have said that they never release in it. */
function signedIn({ plan, aborts, signed }: ClosedRound, { maxMalicious }: Manifest): readonly Silos[] {
  return aborts.size >= deadAfterAborts(plan.n, maxMalicious, plan.graph) ? [] : signed;
}

/** Whether a sum over all of this cohort who are heard is one over the same silos as that one, the barred aside. */
function areSame(job: CoordinatorJob, sum: Silos, cohort: Silos): boolean {
  return heardOf(job, sum).join() === heardOf(job, cohort).join();
}

/** Whether no difference of these sums and the one over this cohort tells few silos apart, by the smallest floor that a policy may have. */
function hasLargeClasses(job: CoordinatorJob, sums: readonly Silos[], cohort: Silos): boolean {
  const smallest = smallestClass([...sums, heardOf(job, cohort)], new Set(job.barred.keys()));
  return smallest >= MIN_HONEST + job.manifest.maxMalicious;
}

/** How many of the last rounds were planned with just this cohort and ended without a result, though nobody was proven to have caused it. */
function vainWith({ closed, barred }: CoordinatorJob, cohort: Silos): number {
  const proven = new Set([...barred.values()].map(({ round }) => round));
  const others = closed.findLastIndex(
    ({ plan, result }) => result !== undefined || proven.has(plan.round) || plan.cohort.join() !== cohort.join(),
  );
  return closed.length - 1 - others;
}
