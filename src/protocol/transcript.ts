// T1, T2 and T3: each binds everything that was said up to a point, so that whoever signs or derives under it agrees on all of it.

import { concat, u32be, type Hash } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { toBitmap } from './bitmap.js';

const ABSENT = Uint8Array.of(0);
const PRESENT = Uint8Array.of(1);

/** `rid || u32 attempt`, with which every derivation of an attempt begins. */
export function attemptId(rid: Hash, attempt: number): Uint8Array<ArrayBuffer> {
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
  const parts: Uint8Array[] = [attemptId(rid, attempt), attemptHash];
  for (let i = 0; i < n; i++) {
    const message = messages.get(i);
    if (message === undefined) parts.push(ABSENT);
    else parts.push(PRESENT, hash(LABELS.advertise, message));
  }
  return hash(LABELS.t1, ...parts);
}

/** T2 over the share headers of U2. `headers`: payload by cohort index, ascending. */
export function transcript2(t1: Hash, n: number, headers: ReadonlyMap<number, Uint8Array>): Hash {
  const indices = ascending(headers);
  return hash(
    LABELS.t2,
    t1,
    toBitmap(indices, n),
    ...indices.map((i) => hash(LABELS.shareHeader, headers.get(i) ?? new Uint8Array())),
  );
}

/** T3 over the masked headers of U3 and the hash of the integer sum. */
export function transcript3(t2: Hash, n: number, headers: ReadonlyMap<number, Uint8Array>, sumHash: Uint8Array): Hash {
  const indices = ascending(headers);
  return hash(
    LABELS.t3,
    t2,
    toBitmap(indices, n),
    ...indices.map((i) => hash(LABELS.maskedHeader, headers.get(i) ?? new Uint8Array())),
    sumHash,
  );
}

function ascending(map: ReadonlyMap<number, unknown>): number[] {
  return [...map.keys()].sort((a, b) => a - b);
}
