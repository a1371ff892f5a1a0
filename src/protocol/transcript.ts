// T1, T2 and T3: each binds everything that was said up to a point, so that whoever signs or derives under it agrees on all of it.

import { concat, u32be, type Hash } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { toBitmap } from './bitmap.js';

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
export function transcript1Of(
  id: Uint8Array,
  attemptHash: Uint8Array,
  hashes: readonly (Uint8Array | undefined)[],
): Hash {
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
export function transcript2Of(t1: Uint8Array, bitmap: Uint8Array, hashes: readonly Uint8Array[]): Hash {
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

/** T3 from the bitmap of U3 and the payloads of its masked headers: what a signed request holds. */
export function transcript3Of(
  t2: Uint8Array,
  bitmap: Uint8Array,
  payloads: readonly Uint8Array[],
  sumHash: Uint8Array,
): Hash {
  return hash(LABELS.t3, t2, bitmap, ...payloads.map((one) => hash(LABELS.maskedHeader, one)), sumHash);
}

function ascending(map: ReadonlyMap<number, unknown>): number[] {
  return [...map.keys()].sort((a, b) => a - b);
}
