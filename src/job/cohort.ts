// Which cohort sizes a job can run with (docs/protocol.md §1). protocol/ enforces the rule; this room, which protocol/ does not
// open, states it to people when a job is made or approved. A test keeps the two equal for every n and c.

import { LIMITS } from '../base/index.js';

export interface CohortTerms {
  /** |J|. */
  readonly silos: number;
  /** c: how many of J may be malicious and collude with the coordinator. */
  readonly maxMalicious: number;
  readonly minCohort: number;
  readonly minHonest: number;
}

export interface CohortSize {
  readonly silos: number;
  /** How many of them may be absent when the sum is opened, n - t. */
  readonly mayBeAbsent: number;
  /** Inputs of honest silos that an opened sum holds at least, t - c. */
  readonly honestInputs: number;
}

/** Default of `max_malicious`: ceil(|J| / 3) - 1. */
export function defaultMaxMalicious(silos: number): number {
  return Math.max(0, Math.ceil(silos / 3) - 1);
}

/** Every n from min_cohort to |J| that satisfies the threshold rule, ascending; the set may have gaps. */
export function cohortSizes({ silos, maxMalicious: c, minCohort, minHonest }: CohortTerms): CohortSize[] {
  const sizes: CohortSize[] = [];
  for (let n = Math.max(minCohort, LIMITS.cohortMin); n <= Math.min(silos, LIMITS.cohortMax); n++) {
    const t = Math.floor((2 * n) / 3) + 1;
    if (minHonest >= 2 && 2 * t >= n + c + 1 && c <= n - t && t - c >= minHonest)
      sizes.push({ silos: n, mayBeAbsent: n - t, honestInputs: t - c });
  }
  return sizes;
}

/**
 * Honest silos whose noise is surely in any sum of the job: t - max(c, 1) of its smallest cohort. 0 when there is no valid cohort or
 * nobody would be left.
 */
export function contributorsOf(
  terms: Omit<CohortTerms, 'silos' | 'minHonest'> & { readonly silos: readonly string[] },
): number {
  const [smallest] = cohortSizes({ ...terms, silos: terms.silos.length, minHonest: 2 });
  if (smallest === undefined) return 0;
  return smallest.silos - smallest.mayBeAbsent - Math.max(terms.maxMalicious, 1);
}
