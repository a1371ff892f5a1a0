// What the fixed-point sum does to one round: the opened integers against the float64 sum of the very same inputs, coordinate by coordinate.
// n silos round once each, so the two may differ by less than n units; anything more would be an error, and ends the experiment.

import { SEGMENT } from '../../src/job/index.js';
import type { Layout, SegmentValues } from '../../src/vector/index.js';

export interface SumError {
  /** Largest distance of a coordinate of the update from the float64 sum, in units of the rounding. */
  readonly units: number;
  /** What it cannot exceed: one unit for each silo. */
  readonly unitsAllowed: number;
  /** One unit, in what the parameters are measured in. */
  readonly unit: number;
  /** Largest difference of a coordinate of the weighted mean, which moves the model. */
  readonly mean: number;
}

/** Floating point may add this part of a value when a float64 sum is scaled. */
const FLOAT64_SLACK = 1e-9;

/** `parts`: what each silo put in; `opened`: the integers that came out. Throws where they differ by more than rounding. */
export function sumErrorOf(layout: Layout, parts: readonly SegmentValues[][], opened: Int32Array): SumError {
  const delta = compare(SEGMENT.delta, layout, parts, opened);
  const weight = compare(SEGMENT.weight, layout, parts, opened);
  const [exactWeight = NaN, openedWeight = NaN] = [weight.exact[0], weight.opened[0]];
  const mean = delta.exact.reduce(
    (most, value, k) => Math.max(most, Math.abs(value / exactWeight - (delta.opened[k] ?? NaN) / openedWeight)),
    0,
  );
  return { units: delta.units, unitsAllowed: parts.length, unit: 1 / delta.scale, mean };
}

interface Compared {
  readonly exact: Float64Array;
  readonly opened: Float64Array;
  readonly scale: number;
  readonly units: number;
}

function compare(name: string, layout: Layout, parts: readonly SegmentValues[][], opened: Int32Array): Compared {
  const segment = layout.segments.find((one) => one.name === name);
  if (segment?.quantiser.kind !== 'real') throw new Error(`the layout has no segment "${name}" of real numbers`);
  const { scale } = segment.quantiser;
  const step = segment.visibility === 'coarse' ? segment.coarseStep : 1;
  const exact = new Float64Array(segment.length);
  for (const segments of parts)
    segments.find((one) => one.name === name)?.values.forEach((value, k) => (exact[k] = (exact[k] ?? 0) + value));
  const own = Float64Array.from(opened.subarray(segment.offset, segment.offset + segment.length));
  let units = 0;
  own.forEach((sum, k) => {
    const scaled = (exact[k] ?? NaN) * scale;
    const away = Math.abs(sum - scaled);
    if (!(away <= parts.length * step + FLOAT64_SLACK * Math.abs(scaled)))
      throw new Error(`coordinate ${String(k)} of "${name}" is ${String(away)} units from the float64 sum`);
    units = Math.max(units, away);
  });
  return { exact, opened: own.map((sum) => sum / scale), scale, units };
}

/** The worst of several rounds. */
export function worst(errors: readonly SumError[]): SumError {
  const largest = (pick: (error: SumError) => number): number => Math.max(...errors.map(pick));
  return {
    units: largest(({ units }) => units),
    unitsAllowed: largest(({ unitsAllowed }) => unitsAllowed),
    unit: largest(({ unit }) => unit),
    mean: largest(({ mean }) => mean),
  };
}
