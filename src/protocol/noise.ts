// Noise under the mask (docs/protocol.md §2.5): what a manifest says of it, and the share of one silo. A reader of the sum may be a silo
// that subtracts its own part, and c silos may tell it theirs, so the promise rests on the t - max(c, 1) others that are surely there.

import { JobKind, NoiseMechanism, Visibility, type JobManifest } from '../wire/index.js';
import { thresholdFor } from './params.js';
import { demand } from './rejection.js';

export interface SumNoise {
  readonly mechanism: 'skellam' | 'discrete-gaussian';
  /** mu, in quantised units squared. */
  readonly variance: number;
  /** Bound on one silo's noise on a coordinate, in quantised units. */
  readonly tail: number;
  /** Noised segments are rotated before they are rounded, and rounded so that they stay short. */
  readonly rotated: boolean;
  /** What one record can change, in quantised units, where records are the unit; undefined where silos are. */
  readonly recordSensitivity: number | undefined;
}

/** Undefined for a job without noise. Throws Refusal `manifest/invalid` when noise, epsilon and segments do not go together. */
export function readNoise(message: JobManifest): SumNoise | undefined {
  const { kind, noise, privacy, layout, closingLayout, unitNoise } = message;
  const valid = (holds: boolean, what: string): void => {
    demand(holds, 'manifest/invalid', `the manifest is not valid: ${what}.`);
  };
  const { epsilon, delta } = privacy ?? { epsilon: 0, delta: 0 };
  const noised = layout?.segments.some(({ visibility }) => visibility === Visibility.VISIBILITY_NOISED) === true;
  if (noise === undefined) {
    valid(
      unitNoise !== undefined || (epsilon === 0 && delta === 0),
      'it promises differential privacy and names no noise',
    );
    return undefined;
  }
  const statistics = kind === JobKind.JOB_KIND_STATISTICS;
  valid(statistics || kind === JobKind.JOB_KIND_TRAIN, 'a job that evaluates adds no noise');
  valid(
    statistics
      ? noise.recordSensitivity > 0 && noise.recordSensitivity < 2 ** 31 && !noise.rotated
      : noise.recordSensitivity === 0,
    'a statistics job, and no other, says what one record can change in its noised sums, and rotates nothing',
  );
  valid(noised, 'it names noise, and no segment is marked as noised');
  valid(closingLayout === undefined, 'a job with noise has no closing round, which would add none');
  valid(epsilon > 0 && epsilon < Infinity, 'a job with noise promises an epsilon above 0');
  valid(delta > 0 && delta < 1, 'a job with noise promises a delta above 0 and below 1');
  valid(noise.variance > 0 && noise.variance < 2 ** 62, 'the variance of its noise is out of range');
  valid(noise.tail >= 1n && noise.tail < 2n ** 31n, 'the tail of its noise is out of range');
  valid(
    noise.mechanism === NoiseMechanism.NOISE_MECHANISM_SKELLAM ||
      noise.mechanism === NoiseMechanism.NOISE_MECHANISM_DISCRETE_GAUSSIAN,
    'it names a kind of noise that this program does not know',
  );
  return {
    mechanism: noise.mechanism === NoiseMechanism.NOISE_MECHANISM_SKELLAM ? 'skellam' : 'discrete-gaussian',
    variance: noise.variance,
    tail: Number(noise.tail),
    rotated: noise.rotated,
    recordSensitivity: statistics ? noise.recordSensitivity : undefined,
  };
}

/** DP-SGD in every silo. */
export interface UnitNoise {
  readonly unit: 'record' | 'patient';
  /** sigma, in clips. */
  readonly noise: number;
  /** q of the smallest silo that takes part. */
  readonly sampling: number;
  /** Steps of one round. */
  readonly steps: number;
}

/** Steps of one round: as many as a recipe may have. */
const STEPS_MAX = 1_000_000;

/** Undefined for a job without DP-SGD. Throws Refusal `manifest/invalid`. */
export function readUnitNoise({ kind, noise, unitNoise, privacy, closingLayout }: JobManifest): UnitNoise | undefined {
  if (unitNoise === undefined) return undefined;
  const valid = (holds: boolean, what: string): void => {
    demand(holds, 'manifest/invalid', `the manifest is not valid: ${what}.`);
  };
  const { epsilon, delta } = privacy ?? { epsilon: 0, delta: 0 };
  valid(kind === JobKind.JOB_KIND_TRAIN, 'only a training job adds noise');
  valid(noise === undefined, 'it names noise in the silo and noise under the mask, whose units differ');
  valid(closingLayout === undefined, 'a job with noise has no closing round, which would add none');
  valid(epsilon > 0 && epsilon < Infinity, 'a job with noise promises an epsilon above 0');
  valid(delta > 0 && delta < 1, 'a job with noise promises a delta above 0 and below 1');
  valid(unitNoise.noise > 0 && unitNoise.noise < Infinity, 'its noise is not a number above 0');
  valid(unitNoise.clip > 0 && unitNoise.clip < Infinity, 'its clip is not a number above 0');
  valid(unitNoise.batch >= 1 && unitNoise.minUnits >= 1n, 'its batch or its least number of units is 0');
  valid(unitNoise.steps >= 1 && unitNoise.steps <= STEPS_MAX, 'the steps of its rounds are out of range');
  return {
    unit: unitNoise.unitColumn === '' ? 'record' : 'patient',
    noise: unitNoise.noise,
    sampling: Math.min(1, unitNoise.batch / Number(unitNoise.minUnits)),
    steps: unitNoise.steps,
  };
}

/** Variance that each silo of a cohort of n adds: mu / (t - max(c, 1)), never mu / n. */
export function siloVariance(noise: SumNoise, n: number, c: number): number {
  return noise.variance / (thresholdFor(n) - Math.max(c, 1));
}
