// The journal of what operators and auditors did through the admin API (admin/acts.ts says what belongs into it).

import { LIMITS } from '../src/base/index.js';
import type { RecordStore } from '../src/storage/index.js';
import { ActRecord, decode, encode } from '../src/wire/index.js';
import type { ActJournal } from './admin/index.js';

const ACTS = 'acts';

export type KeepAct = (record: ActRecord) => Promise<boolean>;

/** `keep`: appends where the journal may be written. */
export function actJournal(journal: RecordStore, keep: KeepAct): ActJournal {
  return {
    count: () => journal.lastSequence(ACTS),
    append: keep,
    read: async (first, most) => {
      const records: ActRecord[] = [];
      if (most === 0) return records;
      for await (const { bytes } of journal.readFrom(ACTS, first)) {
        records.push(decode(ActRecord, 'act', bytes, LIMITS.journalRecordBytes));
        if (records.length === most) break;
      }
      return records;
    },
  };
}

export function keepAct(journal: RecordStore, record: ActRecord): Promise<boolean> {
  return journal.appendAtMost(ACTS, encode(ActRecord, record), LIMITS.actRecords);
}
