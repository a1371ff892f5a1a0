// A silo's check that the vector it is asked to fill is the one its job needs: it derives the layout itself and compares.

import { SumLayout, Visibility, encode, type JobManifest, type Segment, type SumNoise } from '../wire/index.js';
import { equalBytes } from '../base/index.js';
import type { Fineness, Room } from './budget.js';
import { JobError } from './errors.js';
import { parseJob, type Job } from './job.js';
import { DEFAULT_STATISTICS_CLIP, deriveClosingLayout, deriveLayout, SEGMENT, type LayoutTerms } from './layout.js';
import { rotatedFineness } from './noise.js';

/** What a layout takes from a model. */
export interface VectorCounts {
  /** Length of the vector. */
  readonly parameterCount: number;
  /** How many of its values, at the end, are running statistics. */
  readonly statisticCount: number;
}

export interface LayoutDifference {
  /** Name of the segment, or `layout`. */
  readonly segment: string;
  readonly difference: string;
}

/**
 * How the manifest's layout differs from the one its job needs; empty when it does not. What a manifest may choose, the clips of
 * `delta` and of `running-statistics`, with noise also its fineness, and
 * whether the weight is coarse (and whether there is a closing round at all), are read from it; everything else follows. `vector` is the
 * silo's own count over the forward model it fetched, undefined for jobs that do not train. Throws JobError when the other parts of the
 * manifest are bad.
 */
export function checkLayout(manifest: JobManifest, vector: VectorCounts | undefined): readonly LayoutDifference[] {
  const job = parseJob(manifest);
  const found = manifest.layout;
  if (found === undefined) return [{ segment: 'layout', difference: 'the manifest has none' }];
  const terms = termsOf(job, found, vector, manifest.noise);
  if (!('kind' in terms)) return [terms];
  const room = { silos: manifest.silos.length, modulusBits: manifest.modulusBits };
  return [...compareLayouts(found, deriveLayout(terms, room)), ...checkClosing(job, manifest.closingLayout, room)];
}

/** A training job may close with a round of metrics of its final model; no other job has a closing round. */
function checkClosing(job: Job, closing: SumLayout | undefined, room: Room): LayoutDifference[] {
  if (closing === undefined) return [];
  const wanted = deriveClosingLayout(job, room);
  if (wanted === undefined) return [{ segment: 'closing', difference: 'this job has no closing round' }];
  return compareLayouts(closing, wanted).map(({ segment, difference }) => ({
    segment: `closing/${segment}`,
    difference,
  }));
}

function termsOf(
  job: Job,
  found: SumLayout,
  vector: VectorCounts | undefined,
  noise: SumNoise | undefined,
): LayoutTerms | LayoutDifference {
  if (job.kind === 'statistics' && noise !== undefined) {
    const rows = found.segments.find(({ name }) => name === SEGMENT.rows)?.quantiser;
    if (rows?.$case !== 'real') return { segment: SEGMENT.rows, difference: 'expected a real number, with noise' };
    return { ...job, noisy: { qMax: Number(rows.value.qMax) } };
  }
  if (job.kind !== 'train') return job;
  if (vector === undefined) throw new JobError('job/bad-manifest', 'a training job needs its parameter count.');
  const delta = found.segments.find(({ name }) => name === SEGMENT.delta)?.quantiser;
  if (delta?.$case !== 'real' || !(delta.value.clip > 0 && delta.value.clip < Infinity))
    return { segment: SEGMENT.delta, difference: 'expected real numbers with a finite clip above 0' };
  const weight = found.segments.find(({ name }) => name === SEGMENT.weight);
  const weightVisibility = weight?.visibility === Visibility.VISIBILITY_PUBLIC ? 'public' : 'coarse';
  const { kind, recipe, contract } = job;
  const { parameterCount, statisticCount } = vector;
  const statistics = found.segments.find(({ name }) => name === SEGMENT.runningStatistics)?.quantiser;
  const statisticsClip = statistics?.$case === 'real' ? statistics.value.clip : DEFAULT_STATISTICS_CLIP;
  if (!(statisticsClip > 0 && statisticsClip < Infinity))
    return { segment: SEGMENT.runningStatistics, difference: 'expected a finite clip above 0' };
  const { clip, scale, qMax } = delta.value;
  const weights = parameterCount - statisticCount;
  // A rotated clip is a whole number of units.
  const turned = (): Fineness => rotatedFineness(Math.round(clip * scale), weights);
  const noisy = noise === undefined ? undefined : noise.rotated ? turned() : { qMax: Number(qMax) };
  return { kind, recipe, contract, parameterCount, statisticCount, statisticsClip, clip, weightVisibility, noisy };
}

/** Differences by position: order is part of a layout. */
export function compareLayouts(found: SumLayout, expected: SumLayout): readonly LayoutDifference[] {
  const differences: LayoutDifference[] = [];
  const count = Math.max(found.segments.length, expected.segments.length);
  for (let i = 0; i < count; i++) {
    const [one, other] = [found.segments[i], expected.segments[i]];
    if (other === undefined) differences.push({ segment: one?.name ?? '', difference: 'is not part of this job' });
    else if (one?.name !== other.name)
      differences.push({ segment: other.name, difference: `expected at position ${String(i)}` });
    else differences.push(...compareSegments(one, other));
  }
  if (differences.length === 0 && !equalBytes(encode(SumLayout, found), encode(SumLayout, expected)))
    differences.push({ segment: 'layout', difference: 'differs in its bytes' });
  return differences;
}

function compareSegments(found: Segment, expected: Segment): LayoutDifference[] {
  const facts = factsOf(found);
  return [...factsOf(expected)].flatMap(([field, value]) => {
    const other = facts.get(field);
    if (other === value) return [];
    const difference = `${field} should be ${String(value)}, is ${other === undefined ? 'not given' : String(other)}`;
    return [{ segment: expected.name, difference }];
  });
}

function factsOf({ length, quantiser, visibility, coarseStep }: Segment): Map<string, bigint | number | string> {
  const facts = new Map<string, bigint | number | string>([
    ['length', length],
    ['quantiser', quantiser?.$case ?? 'none'],
    ['visibility', visibility],
    ['coarse_step', coarseStep],
  ]);
  if (quantiser !== undefined)
    for (const [field, value] of Object.entries(quantiser.value) as [string, bigint | number][])
      facts.set(field, value);
  return facts;
}
