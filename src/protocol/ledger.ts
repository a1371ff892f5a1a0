// What a round costs a data set, as the ledger of a silo counts it (docs/protocol.md §3): read from the manifest alone, so that whoever
// has the manifest and the log counts the same.

import type { JobId } from '../base/index.js';
import type { Mechanism, Use } from '../privacy/index.js';
import { isClosingRound, type Manifest } from './manifest.js';
import { thresholdFor, validCohortSizes } from './params.js';

/** What one data set may cost in all, over all jobs and for ever. From the silo's own configuration. */
export interface Budget {
  readonly epsilon: number;
  readonly delta: number;
  /** Whether rounds without noise, which no epsilon covers, are let pass all the same. */
  readonly withoutNoise: boolean;
}

/** Rounds of one job that were charged to a data set. */
export interface LedgerEntry {
  readonly jobId: JobId;
  /** Undefined: without noise, counted as uses. */
  readonly mechanism: Mechanism | undefined;
  readonly rounds: number;
  readonly lastRound: number;
}

/** The noise that every sum of this round carries, as the ledger counts it; undefined when it carries none. */
export function mechanismOf(manifest: Manifest, round: number): Mechanism | undefined {
  const { noise } = manifest;
  if (noise === undefined || isClosingRound(manifest, round)) return undefined;
  let square = 0;
  let dimensions = 0;
  for (const { visibility, length, quantiser } of manifest.layout.segments) {
    if (visibility !== 'noised') continue;
    dimensions += length;
    const root = Math.sqrt(length);
    // Stochastic rounding adds at most one unit to each coordinate.
    if (quantiser.kind === 'integer') square += (quantiser.max * root) ** 2;
    else square += (quantiser.clipKind === 'l2' ? quantiser.qMax + root : (quantiser.qMax + 1) * root) ** 2;
  }
  const { mechanism: kind, variance } = noise;
  return { kind, variance, l2: Math.sqrt(square), dimensions, contributors: contributorsOf(manifest) };
}

/** Silos whose noise is surely in a sum of the smallest cohort: t - max(c, 1). */
function contributorsOf({ silos, maxMalicious, minCohort }: Manifest): number {
  const [smallest] = validCohortSizes(silos.length, { c: maxMalicious, minCohort, minHonest: 2 });
  return Math.max(1, thresholdFor(smallest ?? minCohort) - Math.max(maxMalicious, 1));
}

export function usesOf(entries: readonly LedgerEntry[]): Use[] {
  return entries.flatMap(({ mechanism, rounds }) => (mechanism === undefined ? [] : [{ mechanism, times: rounds }]));
}
