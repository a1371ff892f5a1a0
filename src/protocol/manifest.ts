// The job manifest as both sides read it. What the protocol does not understand (recipe, update rule, data contract) stays bytes.

import {
  asHash,
  asJobId,
  asSiloId,
  compareBytes,
  equalBytes,
  type Hash,
  isCodedError,
  type JobId,
  LIMITS,
  type SiloId,
  utf8,
} from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { roundedNormBound } from '../privacy/index.js';
import {
  layoutOf,
  MODULUS_BITS_MAX,
  MODULUS_BITS_MIN,
  refuseOverflow,
  type Layout,
  type SegmentSpec,
  type Visibility,
} from '../vector/index.js';
import {
  ClipKind,
  decode,
  JobKind,
  JobManifest,
  Visibility as WireVisibility,
  type Envelope,
  type Segment as WireSegment,
  type SumLayout,
} from '../wire/index.js';
import { openEnvelope } from './envelope.js';
import { readNoise, readUnitNoise, type SumNoise, type UnitNoise } from './noise.js';
import { graphProblem, type GraphTerms } from './params.js';
import { demand, demanded } from './rejection.js';
import type { Roster } from './roster.js';
import { rosterWithHash } from './succession.js';

export interface Manifest {
  readonly hash: Hash;
  /** The roster that it names: it has all silos of the job, whoever was removed since. */
  readonly roster: Roster;
  readonly jobId: JobId;
  readonly silos: readonly SiloId[];
  readonly maxMalicious: number;
  readonly minCohort: number;
  /** What it says of a regular masking graph; undefined for the complete one. */
  readonly graph: GraphTerms | undefined;
  readonly roundLimit: number;
  readonly initialModelHash: Hash;
  readonly modulusBits: number;
  readonly layout: Layout;
  /** Noise that the segments marked as noised carry; undefined when none is. */
  readonly noise: SumNoise | undefined;
  /** DP-SGD in the silos; undefined where they train without. */
  readonly unitNoise: UnitNoise | undefined;
  /** Layout of the one round after the last, if the job has one. */
  readonly closingLayout: Layout | undefined;
  readonly rejectedRoundsLimit: number;
  readonly fullVerification: boolean;
  /** Everything, for the rooms that read the opaque parts. */
  readonly message: JobManifest;
  readonly envelope: Envelope;
}

const VERSION = 1;
const OPERATOR = /^operator\/[a-z0-9-]+$/;

/** A day: longer ones say nothing to people, and from 25 days on a timer of 31 bits would fire at once. */
const TIMEOUT_MS_MAX = 86_400_000;

/** NaN would be a bound that nothing exceeds. */
function isBound(value: number | undefined): boolean {
  return value === undefined || (Number.isFinite(value) && value >= 0);
}

/** The epoch whose keys count: read before the signature is verified, and used for nothing else. The one in force where it is none. */
function rosterNamedIn(present: Roster, envelope: Envelope | undefined): Roster {
  if (present.succeeds === undefined || envelope === undefined) return present;
  try {
    const { rosterHash } = decode(JobManifest, 'manifest', envelope.payload, LIMITS.manifestBytes);
    return rosterWithHash(present, rosterHash) ?? present;
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return present;
  }
}

/**
 * Opens and checks a manifest against the roster that it names, which is the one in force or one that it followed. Throws Refusal
 * `manifest/…`, `envelope/…`, VectorError `vector/…`.
 */
export function openManifest(present: Roster, envelope: Envelope | undefined): Manifest {
  const roster = rosterNamedIn(present, envelope);
  const signer = envelope?.signer ?? '';
  demand(OPERATOR.test(signer), 'envelope/wrong-signer', 'a manifest is signed by an operator of the consortium.');
  const { message, payload } = openEnvelope(
    roster,
    envelope,
    { type: 'manifest', signer },
    JobManifest,
    LIMITS.manifestBytes,
  );
  const valid = (holds: boolean, what: string): void => {
    demand(holds, 'manifest/invalid', `the manifest is not valid: ${what}.`);
  };
  valid(message.version === VERSION, `version ${String(message.version)}, this program knows ${String(VERSION)}`);
  demand(
    equalBytes(message.rosterHash, roster.hash),
    'manifest/wrong-roster',
    'the manifest was made under another roster.',
  );
  const jobId = demanded(asJobId(message.jobId), 'manifest/invalid', `"${message.jobId}" is not a job id.`);
  valid(
    message.kind === JobKind.JOB_KIND_TRAIN ||
      message.kind === JobKind.JOB_KIND_EVALUATE ||
      message.kind === JobKind.JOB_KIND_STATISTICS,
    'the kind of job is unknown',
  );
  valid(message.roundLimit >= 1 && message.roundLimit <= LIMITS.roundsMax, 'the round limit is out of range');
  valid(
    message.kind === JobKind.JOB_KIND_TRAIN || message.roundLimit === 1,
    'only a training job has more than one round',
  );
  valid(
    message.modulusBits >= MODULUS_BITS_MIN && message.modulusBits <= MODULUS_BITS_MAX,
    'modulus_bits must be 16 to 32',
  );
  valid(message.timeouts !== undefined, 'timeouts are missing');
  valid(
    Object.values(message.timeouts ?? {}).every((ms) => Number.isInteger(ms) && ms >= 1 && ms <= TIMEOUT_MS_MAX),
    'timeouts must be 1 millisecond to a day',
  );
  const noise = readNoise(message);
  const unitNoise = readUnitNoise(message);
  valid(
    isBound(message.acceptance?.minWeight) && isBound(message.acceptance?.maxMeanNorm),
    'what it accepts must be finite numbers from 0',
  );
  valid(message.silos.length <= LIMITS.cohortMax, `it names more than ${String(LIMITS.cohortMax)} silos`);
  const silos = message.silos.map((silo) =>
    demanded(asSiloId(silo), 'manifest/invalid', `"${silo}" is not a silo id.`),
  );
  valid(isSortedUnique(silos), 'silos must be sorted and unique');
  for (const silo of silos) valid(roster.members.has(silo), `silo ${silo} is not in the roster`);
  valid(message.minCohort >= LIMITS.cohortMin && message.minCohort <= silos.length, 'min_cohort is out of range');
  valid(message.maxMalicious <= silos.length, 'max_malicious is out of range');
  const { graph } = message;
  // The smallest cohort is the hardest: a graph that is worth its name there is so in every larger one.
  const useless = graph && graphProblem(message.minCohort, message.maxMalicious, graph);
  demand(
    useless === undefined,
    'manifest/graph',
    `the masking graph is of no use in the smallest cohort: ${useless ?? ''}.`,
  );
  const layout = readLayout(message.layout, noise);
  refuseOverflow(layout, silos.length, message.modulusBits);
  const closingLayout = message.closingLayout === undefined ? undefined : readLayout(message.closingLayout);
  if (closingLayout !== undefined) refuseOverflow(closingLayout, silos.length, message.modulusBits);
  return {
    hash: hash(LABELS.manifest, payload),
    roster,
    jobId,
    silos,
    maxMalicious: message.maxMalicious,
    minCohort: message.minCohort,
    graph,
    roundLimit: message.roundLimit,
    initialModelHash: demanded(
      asHash(message.initialModelHash),
      'manifest/invalid',
      'the initial model hash has not 32 bytes.',
    ),
    modulusBits: message.modulusBits,
    layout,
    noise,
    unitNoise,
    closingLayout,
    rejectedRoundsLimit: message.rejectedRoundsLimit === 0 ? 2 : message.rejectedRoundsLimit,
    fullVerification: message.fullVerification,
    message,
    // The signature was checked above, so the envelope is there.
    envelope: demanded(envelope, 'manifest/invalid', 'no manifest.'),
  };
}

/** Sorted bytewise, without repetition. */
export function isSortedUnique(silos: readonly SiloId[]): boolean {
  return silos.every((silo, i) => i === 0 || compareBytes(utf8(silos[i - 1] ?? ''), utf8(silo)) < 0);
}

/** Last round of the job, the closing one included. */
export function lastRound(manifest: Manifest): number {
  return manifest.roundLimit + (manifest.closingLayout === undefined ? 0 : 1);
}

/** True for the round that only measures the final model. */
export function isClosingRound(manifest: Manifest, round: number): boolean {
  return round > manifest.roundLimit;
}

/** The layout that a round of this job sums. */
export function layoutOfRound(manifest: Manifest, round: number): Layout {
  return isClosingRound(manifest, round) && manifest.closingLayout !== undefined
    ? manifest.closingLayout
    : manifest.layout;
}

/** A layout as the vector room wants it. Throws VectorError `vector/bad-layout`, Refusal `manifest/invalid`. */
export function readLayout(layout: SumLayout | undefined, noise?: SegmentNoise): Layout {
  const { segments } = demanded(layout, 'manifest/invalid', 'the sum layout is missing.');
  return layoutOf(segments.map((segment) => readSegment(segment, noise)));
}

type SegmentNoise = Pick<SumNoise, 'tail' | 'rotated'>;

function readSegment(segment: WireSegment, noise: SegmentNoise | undefined): SegmentSpec {
  const q = demanded(segment.quantiser, 'manifest/invalid', `segment "${segment.name}" has no quantiser.`);
  return {
    name: segment.name,
    length: Number(segment.length),
    quantiser:
      q.$case === 'integer'
        ? { kind: 'integer', max: Number(q.value.max) }
        : {
            kind: 'real',
            clipKind: readClipKind(segment.name, q.value.clipKind),
            clip: q.value.clip,
            scale: q.value.scale,
            qMax: Number(q.value.qMax),
          },
    visibility: readVisibility(segment, noise),
    coarseStep: Number(segment.coarseStep),
    ...(noise !== undefined && segment.visibility === WireVisibility.VISIBILITY_NOISED ? noiseOf(segment, noise) : {}),
  };
}

function noiseOf({ name, length, quantiser }: WireSegment, { tail, rotated }: SegmentNoise): Partial<SegmentSpec> {
  if (!rotated) return { noiseTail: tail };
  demand(
    quantiser?.$case === 'real' && quantiser.value.clipKind === ClipKind.CLIP_KIND_L2,
    'manifest/invalid',
    `segment "${name.slice(0, 100)}" is to be rotated, and only one that is clipped as a whole can be.`,
  );
  const { clip, scale } = quantiser.value;
  return { noiseTail: tail, roundedNorm: roundedNormBound(clip * scale, Number(length)) };
}

function readClipKind(name: string, kind: ClipKind): 'l2' | 'each' {
  if (kind === ClipKind.CLIP_KIND_L2) return 'l2';
  demand(
    kind === ClipKind.CLIP_KIND_EACH,
    'manifest/invalid',
    `segment "${name.slice(0, 100)}" does not say how it is clipped.`,
  );
  return 'each';
}

function readVisibility(segment: WireSegment, noise: SegmentNoise | undefined): Visibility {
  if (segment.visibility === WireVisibility.VISIBILITY_PUBLIC) return 'public';
  if (segment.visibility === WireVisibility.VISIBILITY_COARSE) return 'coarse';
  demand(
    segment.visibility !== WireVisibility.VISIBILITY_NOISED || noise !== undefined,
    'manifest/invalid',
    `segment "${segment.name}" is marked as noised, and the manifest names no noise.`,
  );
  if (segment.visibility === WireVisibility.VISIBILITY_NOISED) return 'noised';
  demand(
    false,
    'manifest/invalid',
    `segment "${segment.name}" does not say what a difference of two sums may tell of it.`,
  );
}
