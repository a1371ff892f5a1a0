// What a round costs a data set, as the ledger of a silo counts it (docs/protocol.md §3): read from the manifest alone, so that whoever
// has the manifest and the log counts the same.

import type { JobId } from '../base/index.js';
import type { Mechanism, Use } from '../privacy/index.js';
import { isClosingRound, type Manifest } from './manifest.js';
import { thresholdFor, validCohortSizes } from './params.js';

/** What a promise of privacy is made to: a record, a person with all records in a silo, or a silo with all of its records. */
export type Unit = 'record' | 'patient' | 'silo';

/** What one data set may cost in all, over all jobs and for ever. From the silo's own configuration. */
export interface Budget {
  /** What epsilon protects. `silo` unless given. */
  readonly unit?: Unit | undefined;
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
  /** What the mechanism protects; undefined without one. */
  readonly unit: Unit | undefined;
  readonly rounds: number;
  readonly lastRound: number;
}

/** The noise that every sum of this round carries, as the ledger counts it; undefined when it carries none. */
export function mechanismOf(manifest: Manifest, round: number): Mechanism | undefined {
  const { noise, unitNoise } = manifest;
  if (isClosingRound(manifest, round)) return undefined;
  if (unitNoise !== undefined) {
    const { sampling, noise: sigma, steps } = unitNoise;
    return { kind: 'sampled-gaussian', sampling, noise: sigma, steps };
  }
  if (noise === undefined) return undefined;
  const { recordSensitivity } = noise;
  let square = 0;
  let dimensions = 0;
  for (const { visibility, length, quantiser, roundedNorm } of manifest.layout.segments) {
    if (visibility !== 'noised') continue;
    dimensions += length;
    const root = Math.sqrt(length);
    // Stochastic rounding adds at most one unit to each coordinate, unless it was drawn again until the whole was short.
    if (roundedNorm !== undefined) square += roundedNorm ** 2;
    else if (quantiser.kind === 'integer') square += (quantiser.max * root) ** 2;
    else square += (quantiser.clipKind === 'l2' ? quantiser.qMax + root : (quantiser.qMax + 1) * root) ** 2;
  }
  const { mechanism: kind, variance } = noise;
  return {
    kind,
    variance,
    l2: recordSensitivity ?? Math.sqrt(square),
    dimensions,
    contributors: contributorsOf(manifest),
  };
}

/** Silos whose noise is surely in a sum of the smallest cohort: t - max(c, 1). */
function contributorsOf({ silos, maxMalicious, minCohort }: Manifest): number {
  const [smallest] = validCohortSizes(silos.length, { c: maxMalicious, minCohort, minHonest: 2 });
  return Math.max(1, thresholdFor(smallest ?? minCohort) - Math.max(maxMalicious, 1));
}

/** What the noise of a job protects; undefined for a job without any. */
export function unitOf({ noise, unitNoise }: Manifest): Unit | undefined {
  const ofSum = noise?.recordSensitivity === undefined ? ('silo' as const) : ('record' as const);
  return unitNoise?.unit ?? (noise === undefined ? undefined : ofSum);
}

/**
 * A mechanism as it counts for another unit than its own; undefined where it bounds nothing. A record or a patient is part of a silo and
 * changes the silo's vector, which stays within its clip: by twice the clip at most, where the silo as a whole changes it by one. A
 * record changes its patient's gradient in the same way, and what sampling gains is then left out, since both worlds hold the patient.
 */
export function mechanismFor(unit: Unit, of: Unit, mechanism: Mechanism): Mechanism | undefined {
  if (unit === of) return mechanism;
  if (of === 'silo' && mechanism.kind !== 'sampled-gaussian') return { ...mechanism, l2: 2 * mechanism.l2 };
  if (of === 'patient' && unit === 'record' && mechanism.kind === 'sampled-gaussian')
    return { ...mechanism, sampling: 1, noise: mechanism.noise / 2 };
  return undefined;
}

/** The charged rounds whose noise protects a unit. */
export function usesOf(entries: readonly LedgerEntry[], unit: Unit): Use[] {
  return entries.flatMap((entry) => {
    const mechanism = entryMechanism(entry, unit);
    return mechanism === undefined ? [] : [{ mechanism, times: entry.rounds }];
  });
}

export function entryMechanism({ mechanism, unit: of }: LedgerEntry, unit: Unit): Mechanism | undefined {
  return mechanism === undefined || of === undefined ? undefined : mechanismFor(unit, of, mechanism);
}
