// The vector whose sum a round opens: named segments, concatenated without padding (docs/protocol.md §2.5).

import { LIMITS } from '../base/index.js';
import { VectorError } from './errors.js';

export type Quantiser =
  | {
      readonly kind: 'real';
      /** `l2`: the whole segment is scaled down to norm `clip`; `each`: every coordinate is cut to [-clip, clip]. */
      readonly clipKind: 'l2' | 'each';
      readonly clip: number;
      /** Quantised units per unit of the value. */
      readonly scale: number;
      /** |q| <= qMax before noise. */
      readonly qMax: number;
    }
  | { readonly kind: 'integer'; readonly max: number };

export type Visibility = 'public' | 'coarse' | 'noised';

export interface SegmentSpec {
  readonly name: string;
  /** Coordinates. */
  readonly length: number;
  readonly quantiser: Quantiser;
  readonly visibility: Visibility;
  /** With `coarse`: quantised values are rounded to multiples of this. */
  readonly coarseStep: number;
  /** With `noised`: no silo's noise on a coordinate is larger, in quantised units. */
  readonly noiseTail?: number;
  /**
   * With `noised` and a clip of kind `l2`: the values are rotated, and rounded until their L2 norm, in quantised units, is at most this.
   * q_max then bounds a rotated coordinate and is below clip times scale.
   */
  readonly roundedNorm?: number;
}

export interface Segment extends SegmentSpec {
  /** First coordinate in the vector. */
  readonly offset: number;
}

export interface Layout {
  readonly segments: readonly Segment[];
  /** d, in coordinates. */
  readonly length: number;
}

const PROBLEMS_SHOWN = 20;

/** Lays the segments out. Throws VectorError `vector/bad-layout` naming every bad segment. */
export function layoutOf(specs: readonly SegmentSpec[]): Layout {
  const problems: string[] = [];
  if (specs.length === 0) problems.push('it has no segments');
  // No list of problems then: it would be longer than what came.
  if (specs.length > LIMITS.segmentsMax) throw badLayout([`it has more than ${String(LIMITS.segmentsMax)} segments`]);
  const names = new Set<string>();
  const segments: Segment[] = [];
  let offset = 0;
  for (const spec of specs) {
    const shown = spec.name.slice(0, 100);
    problems.push(...problemsOf(spec).map((problem) => `segment "${shown}": ${problem}`));
    if (names.has(spec.name)) problems.push(`segment "${shown}" occurs twice`);
    names.add(spec.name);
    segments.push({ ...spec, offset });
    offset += spec.length;
  }
  if (offset > LIMITS.vectorLengthMax)
    problems.push(`its length is ${String(offset)}, at most ${String(LIMITS.vectorLengthMax)} is allowed`);
  if (problems.length > 0) throw badLayout(problems);
  return { segments, length: offset };
}

function badLayout(problems: readonly string[]): VectorError {
  const shown = problems.slice(0, PROBLEMS_SHOWN).join('; ');
  const more = problems.length > PROBLEMS_SHOWN ? `; and ${String(problems.length - PROBLEMS_SHOWN)} more` : '';
  return new VectorError('vector/bad-layout', `the sum layout is not valid: ${shown}${more}.`);
}

function problemsOf(spec: SegmentSpec): string[] {
  const problems: string[] = [];
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(spec.name))
    problems.push('the name must be lower case with digits, dots and hyphens');
  if (!Number.isSafeInteger(spec.length) || spec.length < 1) problems.push('the length must be a whole number from 1');
  if (spec.visibility === 'coarse' && !(Number.isSafeInteger(spec.coarseStep) && spec.coarseStep >= 2))
    problems.push('a coarse segment needs a coarse step of 2 or more');
  const q = spec.quantiser;
  if (q.kind === 'integer') {
    if (!Number.isSafeInteger(q.max) || q.max < 1) problems.push('the maximum must be a whole number from 1');
  } else {
    if (!(q.clip > 0 && Number.isFinite(q.clip))) problems.push('the clip must be positive');
    if (!(q.scale > 0 && Number.isFinite(q.scale))) problems.push('the scale must be positive');
    const rotated = spec.roundedNorm !== undefined;
    if (rotated && q.clipKind !== 'l2') problems.push('only a segment that is clipped as a whole can be rotated');
    if (!Number.isSafeInteger(q.qMax) || q.qMax < (rotated ? 1 : Math.ceil(q.clip * q.scale)))
      problems.push(
        rotated ? 'q_max must be a whole number from 1' : 'q_max must be a whole number of at least clip times scale',
      );
  }
  return problems;
}

/** Largest |q| one silo may contribute to a coordinate of this segment, rounding to a coarse step and noise included. */
export function largestContribution(segment: SegmentSpec): number {
  const q = segment.quantiser;
  const bound = q.kind === 'integer' ? q.max : q.qMax;
  if (segment.visibility === 'noised') return bound + (segment.noiseTail ?? 0);
  return segment.visibility === 'coarse' ? bound + segment.coarseStep : bound;
}

/**
 * Largest |q| in a sum over n silos. For rotated segments the noise of all counts as their standard deviations add up, in squares: a tail
 * is at least 13.5 of one silo's, so sqrt(n) tails are as many of the sum's, and that is exceeded with a chance below 2^-130.
 */
export function largestSum(segment: SegmentSpec, n: number): number {
  const { quantiser: q, roundedNorm, noiseTail = 0 } = segment;
  if (roundedNorm === undefined || q.kind !== 'real') return n * largestContribution(segment);
  return n * q.qMax + Math.ceil(Math.sqrt(n) * noiseTail);
}

/** Throws VectorError `vector/overflow` unless the sum of n silos' values stays below 2^(m−1) in every segment, noise included. */
export function refuseOverflow(layout: Layout, n: number, modulusBits: number): void {
  const half = 2 ** (modulusBits - 1);
  const bad = layout.segments.filter((segment) => largestSum(segment, n) >= half);
  if (bad.length === 0) return;
  throw new VectorError(
    'vector/overflow',
    `${String(n)} silos could overflow 2^${String(modulusBits - 1)} in ${bad.map((segment) => `"${segment.name}"`).join(', ')}.`,
  );
}
