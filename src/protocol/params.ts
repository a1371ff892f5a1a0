// The counting rules of §1: with t = floor(2n/3)+1 one survivor set, one share type per silo and one aggregate per round, as long as
// the inequalities below hold. They are computed, never assumed: valid n are not even monotone.

import { LIMITS } from '../base/index.js';

/** t for a cohort of n. */
export function thresholdFor(n: number): number {
  return Math.floor((2 * n) / 3) + 1;
}

export interface CohortBounds {
  /** Malicious silos assumed among the job's silos. */
  readonly c: number;
  readonly minCohort: number;
  /** Honest inputs that any opened sum must hold. */
  readonly minHonest: number;
}

/** Why a cohort of n is not allowed, in words; undefined when it is. */
export function cohortProblem(n: number, bounds: CohortBounds): string | undefined {
  const { c, minCohort, minHonest } = bounds;
  const t = thresholdFor(n);
  const at = `with n = ${String(n)}, t = ${String(t)} and c = ${String(c)}`;
  if (n < LIMITS.cohortMin || n > LIMITS.cohortMax)
    return `a cohort has ${String(LIMITS.cohortMin)} to ${String(LIMITS.cohortMax)} silos, not ${String(n)}`;
  if (n < minCohort) return `the cohort has ${String(n)} silos, at least ${String(minCohort)} are required`;
  if (minHonest < 2) return 'fewer than 2 honest inputs in a sum would be no aggregation at all';
  if (2 * t < n + c + 1) return `${at} two survivor sets could both reach the threshold`;
  if (c > n - t) return `${at} the malicious silos could block or fake the rest`;
  if (t - c < minHonest)
    return `${at} a sum may hold only ${String(t - c)} honest inputs, at least ${String(minHonest)} are required`;
  return undefined;
}

/** All cohort sizes up to `silos` that the bounds allow. */
export function validCohortSizes(silos: number, bounds: CohortBounds): number[] {
  const sizes: number[] = [];
  for (let n = LIMITS.cohortMin; n <= silos; n++) if (cohortProblem(n, bounds) === undefined) sizes.push(n);
  return sizes;
}

/** Default c for a job of this many silos. */
export function defaultMalicious(silos: number): number {
  return Math.max(0, Math.ceil(silos / 3) - 1);
}

/** Signed Aborts of attempt a after which a can never reach t, even if c silos abort and release both (§2.4). */
export function deadAfterAborts(n: number, c: number): number {
  return n - thresholdFor(n) + c + 1;
}
