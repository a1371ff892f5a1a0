// Who is convicted of what by signed messages and the roster alone. The code and the text that stand beside them are hearsay: only bytes
// that somebody has signed, and hashes that these name, count.

import { LIMITS } from '../../base/index.js';
import { badShares, openCase, type Conviction, type Roster } from '../../protocol/index.js';
import { decode, EvidenceRecord } from '../../wire/index.js';
import { VerifyError } from '../errors.js';
import { AUDIT_LIMITS } from '../limits.js';
import { convictedAlone } from './alone.js';
import { contradictions } from './contradictions.js';
import { lyingFingerprints, type InputByRoot } from './fingerprint.js';

export interface Judgement {
  /** What whoever kept it gave as its reason. Nothing rests on it. */
  readonly code: string;
  readonly keptAtUnixMs: bigint;
  readonly convictions: readonly Conviction[];
  /** Envelopes that do not count, and why. */
  readonly ignored: readonly string[];
  /** What would have to be at hand to say more. */
  readonly missing: readonly string[];
}

/**
 * `bytes`: an EvidenceRecord. Read the roster with `verifySignatureIndependently`, so that signatures are verified by the second
 * implementation. Throws VerifyError `verify/evidence` when it is no record; a record that proves nothing has no convictions.
 */
export function judgeEvidence(roster: Roster, bytes: Uint8Array, inputOf: InputByRoot = () => undefined): Judgement {
  const record = readRecord(bytes);
  const found = openCase(roster, record);
  const missing: string[] = [];
  const convictions = [
    ...contradictions(found),
    ...convictedAlone(found),
    ...badShares(found),
    ...lyingFingerprints(found, inputOf, (what) => missing.push(what)),
  ];
  return {
    code: record.code,
    keptAtUnixMs: record.atUnixMs,
    convictions: distinct(convictions),
    ignored: found.ignored,
    missing,
  };
}

function readRecord(bytes: Uint8Array): EvidenceRecord {
  const record = decode(EvidenceRecord, 'evidence', bytes, LIMITS.journalRecordBytes);
  const refuse = (why: string): never => {
    throw new VerifyError('verify/evidence', `this is no evidence: ${why}.`);
  };
  if (record.version !== 1) refuse(`its version is ${String(record.version)}`);
  if (record.envelopes.length > AUDIT_LIMITS.evidenceEnvelopes)
    refuse(`it has ${String(record.envelopes.length)} signed messages`);
  const { keys, dealers, ciphertexts, shares } = record;
  const lists = [keys?.advertised ?? [], dealers?.headers ?? [], ciphertexts, shares];
  if (lists.some((list) => list.length > LIMITS.cohortMax)) refuse('it opens more than a cohort can have');
  return record;
}

function distinct(convictions: readonly Conviction[]): Conviction[] {
  return [...new Map(convictions.map((one) => [`${one.accused} ${one.charge}`, one])).values()];
}
