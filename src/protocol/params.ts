// The counting rules of §1: with t = floor(2n/3)+1 one survivor set, one share type per silo and one aggregate per round, as long as
// the inequalities below hold. They are computed, never assumed: valid n are not even monotone.

import { LIMITS } from '../base/index.js';
import { graphParameters, isSecret, releasesThatOpenNothing, type GraphParameters } from '../privacy/index.js';

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
  /** The job's masking graph, where it is not the complete one. */
  readonly graph?: GraphTerms | undefined;
}

/** What a manifest says of its graph: how many of a cohort may be missing from the survivors. */
export interface GraphTerms {
  readonly absent: number;
}

/** Why a cohort of n is not allowed, in words; undefined when it is. */
export function cohortProblem(n: number, bounds: CohortBounds): string | undefined {
  const { c, minCohort, minHonest, graph } = bounds;
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
  return graph === undefined ? undefined : graphProblem(n, c, graph);
}

/** Degree and threshold of the graph of a cohort of n; undefined where only the complete one keeps what is promised. */
export function graphFor(n: number, c: number, { absent }: GraphTerms): GraphParameters | undefined {
  return absent <= n - thresholdFor(n) ? graphParameters(n, c, absent) : undefined;
}

/** Members that U1, U2 and U3 of a cohort of n have at least. */
export function leastOf(n: number, graph: GraphTerms | undefined): number {
  return graph === undefined ? thresholdFor(n) : n - graph.absent;
}

/** Why a cohort of n can have no regular graph, in words; undefined when it can. */
export function graphProblem(n: number, c: number, terms: GraphTerms): string | undefined {
  const mayBeAbsent = n - thresholdFor(n);
  if (terms.absent > mayBeAbsent)
    return `at most ${String(mayBeAbsent)} of ${String(n)} silos may be absent at the opening, the graph asks for ${String(terms.absent)}`;
  if (graphFor(n, c, terms) !== undefined) return undefined;
  return `with n = ${String(n)}, c = ${String(c)} and ${String(terms.absent)} absent every silo would need all others as neighbours: use the complete graph`;
}

/** True when the graph of a plan protects against `c` silos, though it was computed for another number. */
export function graphWithstands(n: number, c: number, graph: GraphParameters): boolean {
  return isSecret(n, c, graph);
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

/**
 * Signed Aborts of attempt a after which a can never be opened, even if c silos abort and release both (§2.4): fewer than t can release then,
 * or so few that with a regular graph some survivor lacks shares (§2.10), whichever are fewer.
 */
export function deadAfterAborts(n: number, c: number, graph?: GraphParameters): number {
  const harmless = thresholdFor(n) - 1;
  const releases = graph === undefined ? harmless : Math.min(harmless, releasesThatOpenNothing(n, c, graph));
  return n - releases + c;
}
