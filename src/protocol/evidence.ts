// Contradictions as records: what a coordinator or a silo signed twice is kept, so that anybody can check it later.

import { LIMITS, type UnixMs } from '../base/index.js';
import { encode, EvidenceRecord } from '../wire/index.js';
import type { Rejection } from './rejection.js';

/** Name of the journal that holds them. */
export const EVIDENCE_JOURNAL = 'evidence';
export const EVIDENCE_RECORDS_MAX: number = LIMITS.evidenceRecords;

/** The record to keep of a rejection; undefined for those that prove nothing. */
export function evidenceOf({ code, detail, evidence }: Rejection, at: UnixMs): Uint8Array<ArrayBuffer> | undefined {
  if (evidence.length === 0) return undefined;
  return encode(EvidenceRecord, { version: 1, atUnixMs: BigInt(at), code, detail, envelopes: [...evidence] });
}
