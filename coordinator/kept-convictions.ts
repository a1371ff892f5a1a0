// Silos that were proven to have broken the protocol: the proof goes to the journal of evidence, where it outlasts the round and can be
// exported. It follows from the journal of events, so one that a crash came before is written at the next start.

import type { UnixMs } from '../src/base/index.js';
import { EVIDENCE_JOURNAL, EVIDENCE_RECORDS_MAX, evidenceOf, type CoordinatorState } from '../src/protocol/index.js';
import { RECORD_BYTES_MAX, type RecordStore } from '../src/storage/index.js';
import { decode, EvidenceRecord } from '../src/wire/index.js';

export class KeptConvictions {
  readonly #journal: RecordStore;
  /** What is in the journal, by the text that names silo, job and round; undefined until it was read. */
  #kept: Set<string> | undefined;
  #seen: CoordinatorState['jobs'] | undefined;

  constructor(journal: RecordStore) {
    this.#journal = journal;
  }

  /** Writes what is new. Cheap where nobody is barred. */
  async keep({ jobs }: Pick<CoordinatorState, 'jobs'>, at: UnixMs): Promise<void> {
    if (jobs === this.#seen) return;
    this.#seen = jobs;
    for (const { manifest, barred } of jobs.values()) {
      for (const [silo, { code, round, evidence, exhibits }] of barred) {
        // Votes decide, and prove nothing.
        if (code === 'vote/excluded') continue;
        const detail = `${silo} in round ${String(round)} of job "${manifest.jobId}"`;
        this.#kept ??= await this.#read();
        if (this.#kept.has(detail)) continue;
        const record = evidenceOf({ code, detail, evidence, exhibits }, at);
        if (record !== undefined) await this.#journal.appendAtMost(EVIDENCE_JOURNAL, record, EVIDENCE_RECORDS_MAX);
        this.#kept.add(detail);
      }
    }
  }

  async #read(): Promise<Set<string>> {
    const kept = new Set<string>();
    for await (const { bytes } of this.#journal.readAll(EVIDENCE_JOURNAL))
      kept.add(decode(EvidenceRecord, 'evidence', bytes, RECORD_BYTES_MAX).detail);
    return kept;
  }
}
