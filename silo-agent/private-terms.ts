// What DP-SGD needs to know of this silo beside the manifest: how many units it has, and its secrets of the round.

import { samplingOf } from '../src/job/index.js';
import type { PrivateTerms } from '../src/trainer/index.js';
import type { UnitNoise } from '../src/wire/index.js';

interface Counted {
  readonly rows: number;
  readonly units?: Uint32Array | undefined;
}

/** Patients, or records where each is one. */
export function unitsIn({ rows, units }: Counted): number {
  return units === undefined ? rows : units.reduce((most, unit) => Math.max(most, unit + 1), 0);
}

/** What DP-SGD needs in this silo: how likely one unit is to be drawn follows from how many there are. */
export function privateTerms(
  noise: UnitNoise | undefined,
  train: Counted,
  samplingKey: Uint8Array,
  noiseKey: Uint8Array,
): PrivateTerms | undefined {
  if (noise === undefined) return undefined;
  const { clip, batch } = noise;
  return {
    clip,
    noise: noise.noise,
    sampling: samplingOf(batch, unitsIn(train)),
    // With fewer units than a batch all take part in every step.
    expectedUnits: Math.min(batch, unitsIn(train)),
    unitOfRow: train.units,
    samplingKey,
    noiseKey,
  };
}
