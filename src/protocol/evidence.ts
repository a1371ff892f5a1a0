// Contradictions as records: signed messages that cannot all be honest are kept, with what stood under the hashes they name where they
// prove nothing without it, so that anybody can judge them later (src/protocol/judge, src/audit/evidence).

import { LIMITS, type UnixMs } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { encode, EvidenceRecord, type OpenedDealers, type OpenedKeys } from '../wire/index.js';
import { toBitmap } from './bitmap.js';
import type { KeySet } from './check/advertised.js';
import type { RoundContext } from './check/context.js';
import type { DealerSet } from './check/dealers.js';
import type { Rejection } from './rejection.js';

/** Name of the journal that holds them. */
export const EVIDENCE_JOURNAL = 'evidence';
export const EVIDENCE_RECORDS_MAX: number = LIMITS.evidenceRecords;

/** The record to keep of a rejection; undefined for those that prove nothing. */
export function evidenceOf(
  { code, detail, evidence, exhibits }: Pick<Rejection, 'code' | 'detail' | 'evidence' | 'exhibits'>,
  at: UnixMs,
): Uint8Array<ArrayBuffer> | undefined {
  if (evidence.length === 0) return undefined;
  return encode(EvidenceRecord, {
    version: 1,
    atUnixMs: BigInt(at),
    code,
    detail,
    envelopes: [...evidence],
    keys: exhibits?.keys,
    dealers: exhibits?.dealers,
    ciphertexts: [...(exhibits?.ciphertexts ?? [])],
    shares: [...(exhibits?.shares ?? [])],
  });
}

/** What T1 is the hash of, with hashes in place of the advertisements. */
export function openedKeys({ plan, attempt }: RoundContext, { members }: KeySet): OpenedKeys {
  const advertised = Array.from({ length: plan.n }, (_, i) => {
    const member = members.get(i);
    return member === undefined ? new Uint8Array() : hash(LABELS.advertise, member.payload);
  });
  return { rid: plan.rid, attempt: attempt.attempt, attemptHash: attempt.hash, advertised };
}

/** What T2 is the hash of, with hashes in place of the headers. */
export function openedDealers({ plan }: RoundContext, { t1 }: KeySet, { members }: DealerSet): OpenedDealers {
  const dealers = [...members].sort(([a], [b]) => a - b);
  return {
    t1,
    members: toBitmap(
      dealers.map(([index]) => index),
      plan.n,
    ),
    headers: dealers.map(([, { payload }]) => hash(LABELS.shareHeader, payload)),
  };
}
