// Reals to integers and back. Rounding is stochastic and unbiased: floor(x · scale + u) with u uniform in [0, 1), so that errors of
// many silos average out (docs/protocol.md §2.5). Nothing is clamped after noise.

import { invariant } from '../base/index.js';
import { VectorError } from './errors.js';
import { ROUNDED_AT_ONCE, roundInto, wipeRounder } from './kernels/rounder.js';
import type { Layout, Segment } from './layout.js';
import { l2Norm } from './norm.js';

/** Uniform 32-bit words for rounding: one per coordinate of a real segment, in layout order. */
export type RandomWords = (count: number) => Uint32Array;

export interface QuantisedVector {
  /** d signed integers. */
  readonly values: Int32Array;
  /** Coordinates that a clip, a maximum or q_max cut. */
  readonly saturated: number;
}

/** Values of one segment, before quantisation. */
export interface SegmentValues {
  readonly name: string;
  readonly values: Float32Array | Float64Array;
}

/**
 * Quantises every segment of the layout. `parts` must name the layout's segments in order and with their lengths. The segment named
 * `saturated`, if the layout has one, is filled with the count of cut coordinates of those before it.
 * Throws VectorError `vector/not-finite`, `vector/out-of-range`.
 */
export function quantise(layout: Layout, parts: readonly SegmentValues[], random: RandomWords): QuantisedVector {
  const out = new Int32Array(layout.length);
  let saturated = 0;
  layout.segments.forEach((segment, k) => {
    const part = parts[k];
    if (part?.name !== segment.name || part.values.length !== segment.length)
      throw new VectorError(
        'vector/out-of-range',
        `segment "${segment.name}" wants ${String(segment.length)} values, got ${part === undefined ? 'none' : `${String(part.values.length)} of "${part.name}"`}.`,
      );
    refuseNotFinite(segment, part.values);
    if (segment.name === SATURATED) {
      out[segment.offset] = coarse(segment, Math.min(saturated, bound(segment)));
      return;
    }
    const into = out.subarray(segment.offset, segment.offset + segment.length);
    saturated +=
      segment.quantiser.kind === 'integer'
        ? wholeInto(into, segment, part.values)
        : realInto(into, segment, part.values, random);
  });
  return { values: out, saturated };
}

/** The segment whose one coordinate counts what was cut. */
export const SATURATED = 'saturated';

function refuseNotFinite(segment: Segment, values: Float32Array | Float64Array): void {
  for (let at = 0; at < values.length; at++)
    if (!Number.isFinite(values[at]))
      throw new VectorError(
        'vector/not-finite',
        `coordinate ${String(at)} of segment "${segment.name}" is not a finite number.`,
      );
}

function realInto(out: Int32Array, segment: Segment, values: Float32Array | Float64Array, random: RandomWords): number {
  if (segment.quantiser.kind !== 'real') return 0;
  const { clipKind, clip, scale, qMax } = segment.quantiser;
  invariant(qMax < 2 ** 31, 'quantised values fit the words of the vector');
  const norm = clipKind === 'l2' ? l2Norm(values) : 0;
  const shrink = norm > clip ? clip / norm : 1;
  const rounding = { shrink, clip: clipKind === 'each' ? clip : Infinity, scale, top: qMax };
  const saturated = conditionallyInto(out, segment, () => {
    let cut = 0;
    for (let start = 0; start < values.length; start += ROUNDED_AT_ONCE) {
      const part = values.subarray(start, start + ROUNDED_AT_ONCE);
      cut += roundInto(out.subarray(start, start + part.length), part, random(part.length), rounding);
    }
    return cut;
  });
  wipeRounder();
  if (segment.visibility === 'coarse') out.forEach((q, i) => (out[i] = coarse(segment, q)));
  return shrink < 1 ? saturated + 1 : saturated;
}

/** A vector within its clip is longer than the bound with a chance of e^(-1/2) or less, and so this often with one below 1e-21. */
const ROUNDINGS_MAX = 100;

/** Rounds until the whole is within the segment's bound, once where it has none. Kairouz, Liu, Steinke (2021), §4.2. */
function conditionallyInto(out: Int32Array, { name, roundedNorm = Infinity }: Segment, round: () => number): number {
  for (let tried = 0; tried < ROUNDINGS_MAX; tried++) {
    const saturated = round();
    if (roundedNorm === Infinity || l2Norm(out) <= roundedNorm) return saturated;
  }
  throw new VectorError(
    'vector/out-of-range',
    `no rounding of segment "${name}" in ${String(ROUNDINGS_MAX)} is within the norm ${String(roundedNorm)}.`,
  );
}

function wholeInto(out: Int32Array, segment: Segment, values: Float32Array | Float64Array): number {
  const max = bound(segment);
  let saturated = 0;
  values.forEach((value, i) => {
    if (!Number.isInteger(value) || value < 0)
      throw new VectorError(
        'vector/out-of-range',
        `coordinate ${String(i)} of segment "${segment.name}" must be a whole number from 0.`,
      );
    const kept = Math.min(value, max);
    if (kept !== value) saturated++;
    out[i] = coarse(segment, kept);
  });
  return saturated;
}

function bound(segment: Segment): number {
  return segment.quantiser.kind === 'integer' ? segment.quantiser.max : segment.quantiser.qMax;
}

/** To the nearest multiple of the coarse step, so that a difference of two sums tells little of one silo. */
function coarse(segment: Segment, q: number): number {
  if (segment.visibility !== 'coarse') return q;
  return Math.round(q / segment.coarseStep) * segment.coarseStep;
}

/** The sum of one segment in the unit of its values: opened integers divided by the scale. Length: the segment's. */
export function dequantise(segment: Segment, opened: Int32Array): Float64Array {
  const scale = segment.quantiser.kind === 'real' ? segment.quantiser.scale : 1;
  const out = new Float64Array(segment.length);
  const from = opened.subarray(segment.offset, segment.offset + segment.length);
  // Both have the length of the segment, or `from` is shorter, and the rest is 0.
  for (let i = 0; i < from.length; i++) out[i] = (from[i] as number) / scale;
  return out;
}

/** A segment of the layout by name, if it has one. */
export function segmentNamed(layout: Layout, name: string): Segment | undefined {
  return layout.segments.find((segment) => segment.name === name);
}
