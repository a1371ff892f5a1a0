// How fine a sum can be. Masked words live in Z_{2^m}, so what n silos add up must stay below 2^(m-1) in absolute value; a quantiser
// takes all the room that leaves. docs/protocol.md §2.5.

import { ClipKind, type Segment, type Visibility } from '../wire/index.js';
import { JobError } from './errors.js';

export interface Room {
  /** |J|: the largest cohort that a plan of this job can name. */
  readonly silos: number;
  /** m. */
  readonly modulusBits: number;
}

/** The largest qMax with `silos * qMax < 2^(modulusBits - 1)`, in quantised units. */
export function unitBudget({ silos, modulusBits }: Room): number {
  return Math.floor((2 ** (modulusBits - 1) - 1) / silos);
}

/**
 * Part of the resolution given up so that a value which float32 arithmetic leaves a little above its clip still stays within qMax:
 * eight units in the last place of a float32.
 */
const FLOAT32_MARGIN = 1 - 2 ** -20;

export interface Fineness {
  /** The largest |q|. */
  readonly qMax: number;
  /** The clip in quantised units, where rotation keeps coordinates below it; qMax unless given. */
  readonly units?: number | undefined;
}

/**
 * Fixed point as fine as the room allows: `scale = qMax / clip`, less one part in 2^20. One silo's value is rounded by less than one
 * unit, 1 / scale in the unit of x, and without bias; the sum of n silos by less than n / scale.
 */
export function realSegment(
  name: string,
  length: number,
  clip: { readonly kind: 'l2' | 'each'; readonly clip: number },
  visibility: Visibility,
  room: Room,
  /** Where noise needs room beside it: less than the whole budget. */
  { qMax, units }: Fineness = { qMax: unitBudget(room) },
): Segment {
  return {
    name,
    length: BigInt(length),
    quantiser: {
      $case: 'real',
      value: {
        clipKind: clip.kind === 'l2' ? ClipKind.CLIP_KIND_L2 : ClipKind.CLIP_KIND_EACH,
        clip: clip.clip,
        scale: units === undefined ? (qMax / clip.clip) * FLOAT32_MARGIN : units / clip.clip,
        qMax: BigInt(qMax),
      },
    },
    visibility,
    coarseStep: 0n,
  };
}

/** Counts from 0 to `max`, exact. Throws JobError `job/overflow` when n of them do not fit. */
export function countSegment(name: string, length: number, max: number, visibility: Visibility, room: Room): Segment {
  const budget = unitBudget(room);
  if (max > budget)
    throw new JobError(
      'job/overflow',
      `segment ${name} counts up to ${String(max)} per silo, but ${String(room.silos)} silos and ` +
        `${String(room.modulusBits)} bits leave room for ${String(budget)}.`,
    );
  return {
    name,
    length: BigInt(length),
    quantiser: { $case: 'integer', value: { max: BigInt(max) } },
    visibility,
    coarseStep: 0n,
  };
}

/** Largest rounding error of one coordinate of a sum over `silos`, in the unit of the segment; 0 for counts. */
export function roundingError(segment: Segment, silos: number): number {
  return segment.quantiser?.$case === 'real' ? silos / segment.quantiser.value.scale : 0;
}
