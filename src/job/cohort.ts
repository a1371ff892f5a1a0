// Which cohort sizes a job can run with (docs/protocol.md §1). protocol/ enforces the rule; this room, which protocol/ does not
// open, states it to people when a job is made or approved. A test keeps the two equal for every n and c.

import { LIMITS } from '../base/index.js';
import { graphParameters } from '../privacy/index.js';

export interface CohortTerms {
  /** |J|. */
  readonly silos: number;
  /** c: how many of J may be malicious and collude with the coordinator. */
  readonly maxMalicious: number;
  readonly minCohort: number;
  readonly minHonest: number;
  /** A regular masking graph, and how many may be missing with it; the complete one unless given. */
  readonly graph?: { readonly absent: number } | undefined;
}

export interface CohortSize {
  readonly silos: number;
  /** How many of them may be absent when the sum is opened: n - t, or what the regular graph allows. */
  readonly mayBeAbsent: number;
  /** Inputs of honest silos that an opened sum holds at least: those that are not absent, without c. */
  readonly honestInputs: number;
}

/** t for a cohort of n. */
export function thresholdOf(n: number): number {
  return Math.floor((2 * n) / 3) + 1;
}

/** Default of `max_malicious`: ceil(|J| / 3) - 1. */
export function defaultMaxMalicious(silos: number): number {
  return Math.max(0, Math.ceil(silos / 3) - 1);
}

/** Every n from min_cohort to |J| that satisfies the threshold rule, ascending; the set may have gaps. */
export function cohortSizes({ silos, maxMalicious: c, minCohort, minHonest, graph }: CohortTerms): CohortSize[] {
  const sizes: CohortSize[] = [];
  for (let n = Math.max(minCohort, LIMITS.cohortMin); n <= Math.min(silos, LIMITS.cohortMax); n++) {
    const t = thresholdOf(n);
    if (minHonest < 2 || 2 * t < n + c + 1 || c > n - t || t - c < minHonest) continue;
    const mayBeAbsent = graph?.absent ?? n - t;
    if (graph !== undefined && (mayBeAbsent > n - t || graphParameters(n, c, mayBeAbsent) === undefined)) continue;
    sizes.push({ silos: n, mayBeAbsent, honestInputs: n - mayBeAbsent - c });
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
  // A regular graph leaves the shares of noise as they are: more silos are there than t.
  const [smallest] = cohortSizes({ ...terms, silos: terms.silos.length, minHonest: 2, graph: undefined });
  if (smallest === undefined) return 0;
  return smallest.silos - smallest.mayBeAbsent - Math.max(terms.maxMalicious, 1);
}
