// T1, T2 and T3: each binds everything that was said up to a point, so that whoever signs or derives under it agrees on all of it.

import { concat, HASH_BYTES, LIMITS, u32be, type Hash } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { fromBitmap, toBitmap } from './bitmap.js';

const ABSENT = Uint8Array.of(0);
const PRESENT = Uint8Array.of(1);

/** `rid || u32 attempt`, with which every derivation of an attempt begins. */
export function attemptId(rid: Uint8Array, attempt: number): Uint8Array<ArrayBuffer> {
  return concat(rid, u32be(attempt));
}

/** T1 over the key advertisements of U1. `messages`: payload by cohort index. */
export function transcript1(
  rid: Hash,
  attempt: number,
  attemptHash: Hash,
  n: number,
  messages: ReadonlyMap<number, Uint8Array>,
): Hash {
  const hashes = Array.from({ length: n }, (_, i) => {
    const message = messages.get(i);
    return message === undefined ? undefined : hash(LABELS.advertise, message);
  });
  return transcript1Of(attemptId(rid, attempt), attemptHash, hashes);
}

/** T1 from the hashes of the advertisements; undefined for who is not in U1. `id`: rid || u32 attempt. */
function transcript1Of(id: Uint8Array, attemptHash: Uint8Array, hashes: readonly (Uint8Array | undefined)[]): Hash {
  const parts = hashes.flatMap((one) => (one === undefined ? [ABSENT] : [PRESENT, one]));
  return hash(LABELS.t1, id, attemptHash, ...parts);
}

/** T2 over the share headers of U2. `headers`: payload by cohort index, ascending. */
export function transcript2(t1: Hash, n: number, headers: ReadonlyMap<number, Uint8Array>): Hash {
  const indices = ascending(headers);
  const hashes = indices.map((i) => hash(LABELS.shareHeader, headers.get(i) ?? new Uint8Array()));
  return transcript2Of(t1, toBitmap(indices, n), hashes);
}

/** T2 from the bitmap of U2 and the hashes of its headers. */
function transcript2Of(t1: Uint8Array, bitmap: Uint8Array, hashes: readonly Uint8Array[]): Hash {
  return hash(LABELS.t2, t1, bitmap, ...hashes);
}

/** T3 over the masked headers of U3 and the hash of the integer sum. */
export function transcript3(t2: Hash, n: number, headers: ReadonlyMap<number, Uint8Array>, sumHash: Uint8Array): Hash {
  const indices = ascending(headers);
  return transcript3Of(
    t2,
    toBitmap(indices, n),
    indices.map((i) => headers.get(i) ?? new Uint8Array()),
    sumHash,
  );
}

/*
 * Transcripts of parts that somebody shows. They are hashed one behind the other, without lengths: with other lengths the same bytes would
 * be cut otherwise, and say something else of who is where. So these are undefined unless each part is as long as the protocol makes it.
 */

export function shownTranscript1(shown: {
  readonly rid: Uint8Array;
  readonly attempt: number;
  readonly attemptHash: Uint8Array;
  /** By index; empty for who is not in U1. */
  readonly advertised: readonly Uint8Array[];
}): Hash | undefined {
  const { rid, attempt, attemptHash, advertised } = shown;
  const named = advertised.filter((one) => one.length > 0);
  if (advertised.length > LIMITS.cohortMax || ![rid, attemptHash, ...named].every(isHash)) return undefined;
  const hashes = advertised.map((one) => (one.length === 0 ? undefined : one));
  return transcript1Of(attemptId(rid, attempt), attemptHash, hashes);
}

export function shownTranscript2(shown: {
  readonly t1: Uint8Array;
  readonly members: Uint8Array;
  /** Hashes of the headers of U2, ascending. */
  readonly headers: readonly Uint8Array[];
}): Hash | undefined {
  const { t1, members, headers } = shown;
  if (![t1, ...headers].every(isHash) || !isBitmapOf(members, headers.length)) return undefined;
  return transcript2Of(t1, members, headers);
}

/** What a signed request holds. */
export function shownTranscript3(shown: {
  readonly t2: Uint8Array;
  readonly survivors: Uint8Array;
  /** Masked headers of U3, ascending. */
  readonly headers: readonly { readonly payload: Uint8Array }[];
  readonly sumHash: Uint8Array;
}): Hash | undefined {
  const { t2, survivors, headers, sumHash } = shown;
  if (![t2, sumHash].every(isHash) || !isBitmapOf(survivors, headers.length)) return undefined;
  return transcript3Of(
    t2,
    survivors,
    headers.map(({ payload }) => payload),
    sumHash,
  );
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

/** Shorter than a hash, so that no hash can be taken for a part of it. */
const BITMAP_BYTES_MAX = Math.ceil(LIMITS.cohortMax / 8);

function isBitmapOf(bitmap: Uint8Array, members: number): boolean {
  return bitmap.length <= BITMAP_BYTES_MAX && fromBitmap(bitmap, bitmap.length * 8)?.length === members;
}

/** T3 from the bitmap of U3 and the payloads of its masked headers. */
function transcript3Of(t2: Uint8Array, bitmap: Uint8Array, payloads: readonly Uint8Array[], sumHash: Uint8Array): Hash {
  return hash(LABELS.t3, t2, bitmap, ...payloads.map((one) => hash(LABELS.maskedHeader, one)), sumHash);
}

function ascending(map: ReadonlyMap<number, unknown>): number[] {
  return [...map.keys()].sort((a, b) => a - b);
}
