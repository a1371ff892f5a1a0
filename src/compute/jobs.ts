// The jobs on ranges of a vector, each a plain function: on a thread of the pool or, for a short vector, where it is called. Whatever has
// the length of a range comes in and goes out through memory that both sides see, so that nothing of that size is copied on the way.

import type { Hash } from '../base/index.js';
import { Keystream } from '../crypto/index.js';
import { judgeRound, maskable, rotated, type Judgement, type NoiseShare, type RoundToJudge } from '../job/index.js';
import {
  applyMasks,
  examineRange,
  fingerprintRange,
  fingerprintSums,
  leafOf,
  openRange,
  type MaskKeys,
  type RangeFacts,
} from '../protocol/index.js';
import type { Done } from '../system/index.js';
import {
  addWords,
  packWordsInto,
  quantise,
  unpackWordsInto,
  type Layout,
  type SegmentValues,
  type WideSums,
} from '../vector/index.js';

/** Mask keys one behind the other in one piece of memory, which whoever made it wipes: no thread gets a copy. */
export interface KeyRing {
  readonly bytes: Uint8Array;
  /** How many, from the first, are of streams to add; the others are subtracted. */
  readonly added: number;
}

export interface MaskJob {
  /** Masked in place. */
  readonly words: Int32Array;
  /** Coordinate of the first of them: a multiple of 8, as ranges of packed values must be. */
  readonly start: number;
  readonly keys: KeyRing;
  readonly bits: number;
  /** The bytes on the wire. */
  readonly out: Uint8Array;
}

/** One block of the bytes on the wire, for their root. */
export interface LeafJob {
  readonly block: Uint8Array;
  readonly index: number;
}

export interface FingerprintJob {
  readonly words: Uint32Array;
  readonly start: number;
  readonly t3: Hash;
}

/** A range of the packed sum. */
export interface SumJob {
  readonly sums: Uint8Array;
  readonly start: number;
  readonly count: number;
  readonly bits: number;
}

export interface OpenJob extends SumJob {
  readonly keys: KeyRing;
  /** Room for `count` coordinates. */
  readonly opened: Int32Array;
}

export interface ExamineJob extends OpenJob {
  readonly t3: Hash;
}

export interface AddJob {
  /** Masked words as they came. */
  readonly packed: Uint8Array;
  readonly bits: number;
  /** Of the coordinates that they are. */
  readonly into: WideSums;
}

export interface QuantiseJob {
  readonly layout: Layout;
  readonly segments: readonly SegmentValues[];
  /** Key of the stream of rounding. */
  readonly rounding: Uint8Array;
  /** Public key of the round's rotation; only rotated segments need it. */
  readonly rotation?: Uint8Array | undefined;
  /** With the key of its stream; undefined for a job without noise. */
  readonly noise: (Omit<NoiseShare, 'bytes'> & { readonly key: Uint8Array }) | undefined;
  /** Room for the whole vector. */
  readonly out: Int32Array;
}

export interface JobTypes {
  readonly mask: { readonly input: MaskJob; readonly result: undefined };
  readonly leaf: { readonly input: LeafJob; readonly result: Uint8Array };
  readonly fingerprint: { readonly input: FingerprintJob; readonly result: readonly [bigint, bigint] };
  readonly 'fingerprint-sums': { readonly input: SumJob & { t3: Hash }; readonly result: readonly [bigint, bigint] };
  readonly open: { readonly input: OpenJob; readonly result: undefined };
  readonly examine: { readonly input: ExamineJob; readonly result: RangeFacts };
  readonly add: { readonly input: AddJob; readonly result: undefined };
  readonly quantise: { readonly input: QuantiseJob; readonly result: undefined };
  readonly judge: { readonly input: RoundToJudge; readonly result: Judgement };
}

export type JobName = keyof JobTypes;

export const JOBS: { readonly [Name in JobName]: (input: JobTypes[Name]['input']) => Done } = {
  mask: ({ words, start, keys, bits, out }) => {
    applyMasks(words, start, maskKeysOf(keys), bits);
    packWordsInto(out, words, bits);
    return { result: undefined };
  },
  leaf: ({ block, index }) => ({ result: leafOf(index, block) }),
  fingerprint: ({ words, start, t3 }) => ({ result: fingerprintRange(words, start, t3) }),
  'fingerprint-sums': (job) => ({ result: fingerprintSums(job, job.t3) }),
  open: (job) => {
    openRange(job, maskKeysOf(job.keys), job.opened);
    return { result: undefined };
  },
  examine: (job) => ({ result: examineRange(job, maskKeysOf(job.keys), job.t3, job.opened) }),
  add: ({ packed, bits, into }) => {
    const words = new Uint32Array(into.low.length);
    unpackWordsInto(words, packed, bits);
    addWords(into, 0, words);
    return { result: undefined };
  },
  quantise: ({ layout, segments, rounding, rotation, noise, out }) => {
    const stream = new Keystream(rounding);
    const parts = rotated(layout, segments, rotation);
    const quantised = quantise(layout, parts, (count) => new Uint32Array(stream.next(4 * count).slice().buffer));
    parts.forEach(({ values }, k) => (values === segments[k]?.values ? undefined : values.fill(0)));
    out.set(maskable(layout, quantised, noise === undefined ? undefined : shareOf(noise)));
    quantised.values.fill(0);
    return { result: undefined };
  },
  judge: (round) => {
    const judged = judgeRound(round);
    // A state that was not changed may be the asker's own memory.
    const { buffer } = judged.state;
    return { result: judged, transfer: buffer instanceof ArrayBuffer && buffer.byteLength > 0 ? [buffer] : [] };
  },
};

function maskKeysOf({ bytes, added }: KeyRing): MaskKeys {
  const all = Array.from({ length: bytes.length / KEY_BYTES }, (_, k) =>
    bytes.subarray(KEY_BYTES * k, KEY_BYTES * (k + 1)),
  );
  return { add: all.slice(0, added), subtract: all.slice(added) };
}

export const KEY_BYTES = 32;

function shareOf({ key, ...share }: NonNullable<QuantiseJob['noise']>): NoiseShare {
  const stream = new Keystream(key);
  return { ...share, bytes: (length) => stream.next(length) };
}
