// A file of evidence: a bundle with the roster, the records as they were kept, and masked inputs that fingerprints are compared with.

import { hex, LIMITS } from '../../base/index.js';
import { verifySignatureIndependently } from '../../crypto/index.js';
import { INPUT_BLOCK_BYTES, InputRoot, readRoster } from '../../protocol/index.js';
import { BundleReader, type Source } from '../bundle/reader.js';
import { BundleWriter } from '../bundle/writer.js';
import { bad } from '../bundle/contents.js';
import { AUDIT_LIMITS } from '../limits.js';
import { PART } from '../parts.js';
import type { InputByRoot } from './fingerprint.js';
import { judgeEvidence, type Judgement } from './judge.js';

export interface EvidenceContents {
  readonly roster: Uint8Array;
  /** EvidenceRecords. */
  readonly records: readonly Uint8Array[];
  /** Masked inputs, in any order: they are known by their roots. */
  readonly inputs: readonly Uint8Array[];
}

/** The bytes of the file, piece by piece. */
export function evidenceFile({ roster, records, inputs }: EvidenceContents): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const writer = new BundleWriter((bytes) => pieces.push(bytes));
  writer.add(PART.roster, roster);
  records.forEach((record, k) => {
    writer.add(PART.evidence(k), record);
  });
  inputs.forEach((input, k) => {
    writer.add(PART.evidenceInput(k), input);
  });
  writer.finish();
  return pieces;
}

/**
 * A judgement for each record, in order. Throws VerifyError `verify/bundle`, `verify/evidence`; Refusal `roster/…`; WireError `wire/…`.
 */
export function judgeEvidenceFile(source: Source, rosterHash: Uint8Array): Judgement[] {
  const bundle = new BundleReader(source);
  const bytes = bundle.get(PART.roster, LIMITS.manifestBytes);
  const roster = readRoster(bytes, rosterHash, verifySignatureIndependently);
  const records: Uint8Array[] = [];
  while (bundle.has(PART.evidence(records.length))) {
    if (records.length === LIMITS.evidenceRecords) throw bad('it has more records than a journal of evidence holds');
    records.push(bundle.get(PART.evidence(records.length), LIMITS.journalRecordBytes));
  }
  if (records.length === 0) throw bad('it holds no evidence');
  const inputOf = inputsByRoot(bundle);
  return records.map((record) => judgeEvidence(roster, record, inputOf));
}

function inputsByRoot(bundle: BundleReader): InputByRoot {
  const byRoot = new Map<string, ReturnType<InputByRoot>>();
  for (let k = 0; k < AUDIT_LIMITS.evidenceInputs && bundle.has(PART.evidenceInput(k)); k++) {
    const name = PART.evidenceInput(k);
    const size = bundle.sizeOf(name);
    const root = new InputRoot();
    for (let at = 0; at < size; at += INPUT_BLOCK_BYTES) root.update(bundle.slice(name, at, INPUT_BLOCK_BYTES));
    byRoot.set(hex(root.digest()), { size, slice: (at, length) => bundle.slice(name, at, length) });
  }
  return (root) => byRoot.get(hex(root));
}
