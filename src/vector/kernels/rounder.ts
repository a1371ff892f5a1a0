// Stochastic rounding of one block of a segment (quantise.wat). What went through is secret: the memory is wiped after each segment.

import { MODULE } from './gen/quantise.js';
import { bytesOf, kernel, roundedUp } from './instance.js';

type Round = (
  values: number,
  random: number,
  out: number,
  count: number,
  shrink: number,
  clip: number,
  scale: number,
  top: number,
) => number;

const rounding = kernel<{ readonly doubles: Round; readonly singles: Round }>(MODULE);

/** Values in one block. */
export const ROUNDED_AT_ONCE = 8 * 1024;
const RANDOM = 8 * ROUNDED_AT_ONCE;
const OUT = 12 * ROUNDED_AT_ONCE;
const LANES = 2;

export interface Rounding {
  /** Factor before the clip. */
  readonly shrink: number;
  /** Infinity: none. */
  readonly clip: number;
  readonly scale: number;
  /** |q| <= top < 2^31. */
  readonly top: number;
}

/** Rounds at most ROUNDED_AT_ONCE values by as many random words into `out`. Returns how often a cut changed a value. */
export function roundInto(
  out: Int32Array,
  values: Float32Array | Float64Array,
  random: Uint32Array,
  { shrink, clip, scale, top }: Rounding,
): number {
  const { run, bytes } = rounding();
  const count = values.length;
  const given = bytesOf(values);
  bytes.set(given);
  // What pads the last lanes is zero, which no cut changes.
  bytes.fill(0, given.length, given.length + 8);
  bytes.set(bytesOf(random.subarray(0, count)), RANDOM);
  const turn = values instanceof Float32Array ? run.singles : run.doubles;
  const cuts = turn(0, RANDOM, OUT, roundedUp(count, LANES), shrink, clip, scale, top);
  bytesOf(out).set(bytes.subarray(OUT, OUT + 4 * count));
  return cuts;
}

export function wipeRounder(): void {
  rounding().bytes.fill(0, 0, OUT + 4 * ROUNDED_AT_ONCE);
}
