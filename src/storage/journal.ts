// The journal: what a program must not forget, in order. Both programs are event-sourced, so recovery is reading this from the start.
// Several journals and a small table of pairs share one environment, and one transaction may span them all (§2.4: a reservation is one
// transaction with SIGNED or MASKED).

import { concat, fromU64be, fromUtf8, u64be, utf8 } from '../base/index.js';
import { failpoint } from '../system/index.js';
import type { Change } from './environment.js';
import { Environment } from './environment.js';
import { StorageError } from './errors.js';
import type { JournalRecord, RecordStore, Write } from './kinds.js';
import {
  firstPlace,
  headPlace,
  metaPlace,
  nameOf,
  pairPlace,
  recordPlace,
  requireJournalName,
  tableRange,
} from './place.js';
import type { Sealer } from './seal.js';

/** Erases every record of a journal that stands before the first append of this transaction to it. Of a journal on this disk alone. */
export interface DropBefore {
  readonly kind: 'drop-before';
  readonly journal: string;
}

export interface JournalOptions {
  /** Folder of the environment. */
  readonly path: string;
  /** Seals every value. A store is sealed from its creation or never. */
  readonly sealer?: Sealer | undefined;
  /** Beside the one that writes: what was durable when it was opened is there to be read, and nothing can be written. */
  readonly readOnly?: boolean;
}

const FORMAT = 'veilsum-journal/1';
const FORMAT_PLACE = metaPlace('format');
const PROBE_PLACE = metaPlace('seal-probe');
/** Bytes of one record or value. A manifest has 1 MiB; vectors and models are blobs. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024;

export class Journal implements RecordStore {
  readonly #environment: Environment;
  readonly #sealer: Sealer | undefined;
  /** Last sequence of each journal, counting appends under way. */
  readonly #heads = new Map<string, number>();

  private constructor(environment: Environment, sealer: Sealer | undefined) {
    this.#environment = environment;
    this.#sealer = sealer;
  }

  /** The caller holds the lock on the state folder: two writers of one journal are not guarded against here. */
  static async open(options: JournalOptions): Promise<Journal> {
    const environment = await Environment.open(options.path, { readOnly: options.readOnly === true });
    try {
      if (!checkFormat(environment, options.sealer) && options.readOnly !== true) {
        failpoint('storage.before-founding');
        await environment.commit(foundation(options.sealer));
        failpoint('storage.after-founding');
      }
      const journal = new Journal(environment, options.sealer);
      for (const [name, head] of readHeads(environment, options.sealer)) journal.#heads.set(name, head);
      return journal;
    } catch (cause) {
      await environment.close();
      throw cause;
    }
  }

  /** Adds records to one journal. Resolves with their sequence numbers when they are durable; rejects when that is not certain. */
  append(journal: string, records: readonly Uint8Array[]): Promise<number[]> {
    return this.transaction(records.map((record) => ({ kind: 'append', journal, record })));
  }

  /** As `append` of one record, unless the journal holds `maxRecords` already: for what a peer can make us write. */
  async appendAtMost(journal: string, record: Uint8Array, maxRecords: number): Promise<boolean> {
    if (this.lastSequence(journal) >= maxRecords) return false;
    await this.append(journal, [record]);
    return true;
  }

  put(key: string, value: Uint8Array): Promise<number[]> {
    return this.transaction([{ kind: 'put', key, value }]);
  }

  delete(key: string): Promise<number[]> {
    return this.transaction([{ kind: 'delete', key }]);
  }

  /** One atomic, durable commit. Resolves with the sequence numbers of its appends, in order. Calls commit in the order they were made. */
  async transaction(writes: readonly (Write | DropBefore)[]): Promise<number[]> {
    const heads = new Map<string, number>();
    const sequences: number[] = [];
    const changes = writes.flatMap((write): Change | Change[] => {
      if (write.kind === 'drop-before') return this.#dropped(write.journal);
      if (write.kind === 'delete') return { kind: 'remove', place: pairPlace(write.key) };
      if (write.kind === 'put') return this.#sealed(pairPlace(write.key), write.value);
      const sequence = (heads.get(write.journal) ?? this.lastSequence(write.journal)) + 1;
      heads.set(write.journal, sequence);
      sequences.push(sequence);
      return this.#sealed(recordPlace(write.journal, sequence), write.record);
    });
    if (changes.length === 0) return [];
    for (const [journal, head] of heads) {
      this.#heads.set(journal, head);
      changes.push(this.#sealed(headPlace(journal), u64be(head)));
    }
    const what = subjectOf(writes);
    failpoint('storage.before-commit', what);
    await this.#environment.commit(changes);
    failpoint('storage.after-commit', what);
    return sequences;
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const place = pairPlace(key);
    const value = this.#environment.get(place);
    return value === undefined ? undefined : openValue(this.#sealer, place, value);
  }

  /** Keys of the table that begin with `prefix`, in the order of their bytes. */
  keys(prefix = ''): string[] {
    const found: string[] = [];
    for (const { place } of this.#environment.range(tableRange('pair'))) {
      const key = nameOf(place);
      if (key.startsWith(prefix)) found.push(key);
    }
    return found;
  }

  /** Journals that hold at least one record. */
  journals(): string[] {
    return [...this.#heads.keys()].sort();
  }

  /** 0 for a journal without records. Counts appends that are not durable yet. */
  lastSequence(journal: string): number {
    requireJournalName(journal);
    return this.#heads.get(journal) ?? 0;
  }

  /** 1, unless the first records were erased. */
  firstSequence(journal: string): number {
    return firstIn(this.#environment, this.#sealer, journal);
  }

  readAll(journal: string): AsyncGenerator<JournalRecord> {
    return this.readFrom(journal, this.firstSequence(journal));
  }

  /** Records from `sequence` on, in order, up to the last one at the time of the call. Throws storage/damaged at the first that is not whole. */
  async *readFrom(journal: string, sequence: number): AsyncGenerator<JournalRecord> {
    const last = this.lastSequence(journal);
    for (let at = sequence; at <= last; at++) {
      const place = recordPlace(journal, at);
      let value = this.#environment.get(place);
      if (value === undefined) {
        // An append under way has its number before it can be read.
        await this.#environment.commit([]);
        value = this.#environment.get(place);
      }
      if (value === undefined)
        throw new StorageError('storage/damaged', `record ${String(at)} of the journal ${journal} is missing`);
      yield { sequence: at, bytes: openValue(this.#sealer, place, value) };
    }
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#environment.close();
  }

  /** All records there are, which lie before what is appended now, and where the journal begins from then on. */
  #dropped(journal: string): Change[] {
    const next = this.lastSequence(journal) + 1;
    const gone: Change[] = [];
    for (let at = this.firstSequence(journal); at < next; at++)
      gone.push({ kind: 'remove', place: recordPlace(journal, at) });
    return [...gone, this.#sealed(firstPlace(journal), u64be(next))];
  }

  #sealed(place: Uint8Array, value: Uint8Array): Change {
    if (value.length > RECORD_BYTES_MAX)
      throw new StorageError(
        'storage/record-too-large',
        `a record has ${String(value.length)} bytes; the journal takes ${String(RECORD_BYTES_MAX)}`,
      );
    return { kind: 'put', place, value: sealValue(this.#sealer, place, value) };
  }
}

/** Sequence of a journal's first record. */
export function firstIn(environment: Environment, sealer: Sealer | undefined, journal: string): number {
  const place = firstPlace(journal);
  const value = environment.get(place);
  if (value === undefined) return 1;
  const first = fromU64be(openValue(sealer, place, value));
  if (first === undefined)
    throw new StorageError('storage/damaged', `where the journal ${journal} begins is no number`);
  return first;
}

/** What a transaction is about, in the names of failpoints: its first write's journal, or the first part of its key. */
export function subjectOf([first]: readonly (Write | DropBefore)[]): string {
  if (first === undefined) return 'nothing';
  return first.kind === 'append' || first.kind === 'drop-before'
    ? first.journal
    : (first.key.split('/')[0] ?? first.key);
}

// LMDB cannot tell an empty value from none, so a plain value has one byte in front.
const PLAIN = Uint8Array.of(0);

export function sealValue(sealer: Sealer | undefined, place: Uint8Array, value: Uint8Array): Uint8Array<ArrayBuffer> {
  return sealer === undefined ? concat(PLAIN, value) : sealer.seal(place, value);
}

export function openValue(sealer: Sealer | undefined, place: Uint8Array, value: Uint8Array): Uint8Array<ArrayBuffer> {
  if (sealer !== undefined) return sealer.open(place, value);
  if (value[0] !== PLAIN[0]) throw new StorageError('storage/damaged', 'a plain record does not begin as one');
  return Uint8Array.from(value.subarray(1));
}

/** False for an environment that is empty. Throws when it is of another format, or sealed otherwise than the caller believes. */
export function checkFormat(
  environment: {
    get(place: Uint8Array): Uint8Array | undefined;
    range: Environment['range'] | (() => Iterable<unknown>);
  },
  sealer: Sealer | undefined,
): boolean {
  const format = environment.get(FORMAT_PLACE);
  if (format === undefined) {
    for (const _ of environment.range({ start: Uint8Array.of(0), end: Uint8Array.of(0xff) }))
      throw new StorageError('storage/unknown-format', 'the store holds records and no format');
    return false;
  }
  const [name, sealing] = new TextDecoder().decode(format).split(' ');
  if (name !== FORMAT)
    throw new StorageError('storage/unknown-format', `the store has format ${JSON.stringify(name)}, not ${FORMAT}`);
  if (sealing !== sealingName(sealer))
    throw new StorageError(
      'storage/sealing-mismatch',
      `the store is ${String(sealing)}, and was opened as ${sealingName(sealer)}`,
    );
  if (sealer !== undefined) {
    try {
      fromUtf8(sealer.open(PROBE_PLACE, environment.get(PROBE_PLACE) ?? new Uint8Array(0)));
    } catch {
      throw new StorageError('storage/wrong-key', 'the store does not open with this key file');
    }
  }
  return true;
}

export function foundation(sealer: Sealer | undefined): Change[] {
  const changes: Change[] = [{ kind: 'put', place: FORMAT_PLACE, value: utf8(`${FORMAT} ${sealingName(sealer)}`) }];
  if (sealer !== undefined)
    changes.push({ kind: 'put', place: PROBE_PLACE, value: sealer.seal(PROBE_PLACE, utf8(FORMAT)) });
  return changes;
}

function sealingName(sealer: Sealer | undefined): 'sealed' | 'plain' {
  return sealer === undefined ? 'plain' : 'sealed';
}

/** The last sequence of each journal, as committed with its last record. */
export function readHeads(environment: Environment, sealer: Sealer | undefined): Generator<[string, number]> {
  return headsIn(environment.range(tableRange('head')), sealer);
}

/** The same of entries, wherever they come from. Throws storage/damaged. */
export function* headsIn(
  entries: Iterable<{ readonly place: Uint8Array; readonly value: Uint8Array }>,
  sealer: Sealer | undefined,
): Generator<[string, number]> {
  for (const { place, value } of entries) {
    const head = fromU64be(openValue(sealer, place, value));
    if (head === undefined)
      throw new StorageError('storage/damaged', `the head of the journal ${nameOf(place)} is no number`);
    yield [nameOf(place), head];
  }
}
