// Journals in PostgreSQL: the records, heads and pairs of journal.ts, in rows under the same keys and seals. The leader appends; others
// read what is committed, and look again when they are told that there is more.

import { u64be } from '../../base/index.js';
import { checkRecords, type JournalReport } from '../fsck.js';
import type { JournalRecord, RecordStore, SmallTable, Write } from '../kinds.js';
import { StorageError } from '../errors.js';
import { checkFormat, foundation, headsIn, openValue, RECORD_BYTES_MAX, sealValue, subjectOf } from '../journal.js';
import { headPlace, nameOf, pairPlace, recordPlace, requireJournalName, tableRange } from '../place.js';
import type { Sealer } from '../seal.js';
import type { Database, Run } from './database.js';
import type { Lease } from './lease.js';

export interface PostgresJournalOptions {
  readonly database: Database;
  readonly lease: Lease;
  readonly sealer?: Sealer | undefined;
  /** Told in the transaction of each commit. */
  readonly onCommit?: ((run: Run) => Promise<unknown>) | undefined;
}

interface StoredRow {
  readonly place: Buffer;
  readonly value: Buffer;
}

/** Records that are read at once; of at most 8 MiB each, and seldom more than some kilobytes. */
const PAGE_ROWS = 256;
const PAGE_BYTES = 16 * 1024 * 1024;

export class PostgresJournal implements RecordStore {
  readonly #options: PostgresJournalOptions;
  #heads = new Map<string, number>();
  #refreshed: Promise<unknown> = Promise.resolve();
  #pairs = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Pairs that any coordinator may write, the last one counts: nothing may rest on them. */
  readonly common: SmallTable;

  private constructor(options: PostgresJournalOptions) {
    this.#options = options;
    this.common = {
      get: (key) => this.get(key),
      keys: (prefix) => this.keys(prefix),
      put: async (key, value) => {
        const place = pairPlace(key);
        this.#pairs.set(key, Uint8Array.from(value));
        await upsert(options.database.query, [[place, this.#sealed(place, value)]]);
      },
      delete: async (key) => {
        this.#pairs.delete(key);
        await options.database.query(`DELETE FROM entry WHERE place = $1`, [pairPlace(key)]);
      },
    };
  }

  /** Founds the store when it is empty. Throws as Journal.open does. */
  static async open(options: PostgresJournalOptions): Promise<PostgresJournal> {
    const { database, sealer } = options;
    await demandFormat(database, sealer);
    const journal = new PostgresJournal(options);
    await journal.refresh();
    return journal;
  }

  /**
   * Looks for what others have committed. One look after the other: one that began before this process came to lead must not end after it
   * and take back what it has appended since.
   */
  refresh(): Promise<void> {
    const turn = this.#refreshed.then(() => this.#refreshNow());
    this.#refreshed = turn.catch(() => undefined);
    return turn;
  }

  async #refreshNow(): Promise<void> {
    const { database, sealer } = this.#options;
    const heads = new Map<string, number>();
    for await (const row of rowsIn(database, tableRange('head')))
      for (const [journal, head] of headsIn([row], sealer)) heads.set(journal, head);
    const pairs = new Map<string, Uint8Array<ArrayBuffer>>();
    for await (const { place, value } of rowsIn(database, tableRange('pair')))
      pairs.set(nameOf(place), openValue(sealer, place, value));
    this.#heads = heads;
    this.#pairs = pairs;
  }

  /** For fsck: every record, head and pair opened, and the sequences counted through. */
  check(): Promise<JournalReport> {
    const { database, sealer } = this.#options;
    return checkRecords((table) => rowsIn(database, tableRange(table)), sealer);
  }

  append(journal: string, records: readonly Uint8Array[]): Promise<number[]> {
    return this.transaction(records.map((record) => ({ kind: 'append', journal, record })));
  }

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

  async transaction(writes: readonly Write[]): Promise<number[]> {
    const heads = new Map<string, number>();
    const sequences: number[] = [];
    const records: [Uint8Array, Uint8Array][] = [];
    // By key: of two writes of one key the last one counts.
    const pairs = new Map<string, Uint8Array | undefined>();
    for (const write of writes) {
      if (write.kind === 'append') {
        const sequence = (heads.get(write.journal) ?? this.lastSequence(write.journal)) + 1;
        const place = recordPlace(write.journal, sequence);
        records.push([place, this.#sealed(place, write.record)]);
        heads.set(write.journal, sequence);
        sequences.push(sequence);
      } else {
        pairPlace(write.key);
        pairs.set(write.key, write.kind === 'put' ? this.#checked(write.value) : undefined);
      }
    }
    if (writes.length === 0) return [];
    for (const [journal, head] of heads) this.#heads.set(journal, head);
    const upserts: [Uint8Array, Uint8Array][] = [];
    const removed: Uint8Array[] = [];
    for (const [journal, head] of heads) upserts.push(this.#row(headPlace(journal), u64be(head)));
    for (const [key, value] of pairs)
      if (value === undefined) removed.push(pairPlace(key));
      else upserts.push(this.#row(pairPlace(key), value));
    await this.#options.lease.fenced(subjectOf(writes), async (run) => {
      await insert(run, records);
      await upsert(run, upserts);
      if (removed.length > 0) await run(`DELETE FROM entry WHERE place = ANY($1::bytea[])`, [removed]);
      await this.#options.onCommit?.(run);
    });
    for (const [key, value] of pairs)
      if (value === undefined) this.#pairs.delete(key);
      else this.#pairs.set(key, Uint8Array.from(value));
    return sequences;
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    pairPlace(key);
    const value = this.#pairs.get(key);
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  keys(prefix = ''): string[] {
    return [...this.#pairs.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  journals(): string[] {
    return [...this.#heads.keys()].sort();
  }

  lastSequence(journal: string): number {
    requireJournalName(journal);
    return this.#heads.get(journal) ?? 0;
  }

  readAll(journal: string): AsyncGenerator<JournalRecord> {
    return this.readFrom(journal, 1);
  }

  async *readFrom(journal: string, sequence: number): AsyncGenerator<JournalRecord> {
    const { database, lease, sealer } = this.#options;
    const last = this.lastSequence(journal);
    if (sequence > last) return;
    // An append under way has its number before it can be read.
    if (lease.token !== undefined) await lease.settled();
    let at = sequence;
    const range = { start: recordPlace(journal, sequence), end: recordPlace(journal, last + 1) };
    for await (const { place, value } of rowsIn(database, range)) {
      if (Buffer.compare(place, recordPlace(journal, at)) !== 0) break;
      yield { sequence: at++, bytes: openValue(sealer, place, value) };
    }
    if (at <= last)
      throw new StorageError('storage/damaged', `record ${String(at)} of the journal ${journal} is missing`);
  }

  close(): Promise<void> {
    return this.#options.lease.settled();
  }

  #row(place: Uint8Array, value: Uint8Array): [Uint8Array, Uint8Array] {
    return [place, this.#sealed(place, value)];
  }

  #sealed(place: Uint8Array, value: Uint8Array): Uint8Array {
    return sealValue(this.#options.sealer, place, this.#checked(value));
  }

  #checked(value: Uint8Array): Uint8Array {
    if (value.length <= RECORD_BYTES_MAX) return value;
    throw new StorageError(
      'storage/record-too-large',
      `a record has ${String(value.length)} bytes; the journal takes ${String(RECORD_BYTES_MAX)}`,
    );
  }
}

/** Founds an empty store, and compares the format of one that is there. */
async function demandFormat(database: Database, sealer: Sealer | undefined): Promise<void> {
  await database.transaction(async (run) => {
    await run(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`veilsum ${database.schema}`]);
    const found = new Map<string, Uint8Array>();
    const { rows } = await run<StoredRow>(`SELECT place, value FROM entry ORDER BY place LIMIT 4`);
    for (const { place, value } of rows) found.set(place.toString('hex'), value);
    const view = {
      get: (place: Uint8Array) => {
        const value = found.get(Buffer.from(place).toString('hex'));
        return value === undefined ? undefined : new Uint8Array(value);
      },
      range: () => rows.map(({ place, value }) => ({ place: new Uint8Array(place), value: new Uint8Array(value) })),
    };
    if (checkFormat(view, sealer)) return;
    await upsert(
      run,
      foundation(sealer).flatMap((change): [Uint8Array, Uint8Array][] =>
        change.kind === 'put' ? [[change.place, change.value]] : [],
      ),
    );
  });
}

/** Rows from one key up to another, in order, a page at a time. */
export async function* rowsIn(
  { query }: { readonly query: Run },
  { start, end }: { readonly start: Uint8Array; readonly end: Uint8Array },
): AsyncGenerator<{ place: Uint8Array<ArrayBuffer>; value: Uint8Array<ArrayBuffer> }> {
  let after: Uint8Array = start;
  let sign = '>=';
  for (;;) {
    const { rows } = await query<StoredRow>(
      `SELECT place, value FROM (
         SELECT place, value, sum(length(value)) OVER (ORDER BY place) - length(value) AS before FROM (
           SELECT place, value FROM entry WHERE place ${sign} $1 AND place < $2 ORDER BY place LIMIT ${String(PAGE_ROWS)}
         ) AS page
       ) AS counted WHERE before < ${String(PAGE_BYTES)} ORDER BY place`,
      [after, end],
    );
    for (const { place, value } of rows) yield { place: new Uint8Array(place), value: new Uint8Array(value) };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.place;
    sign = '>';
  }
}

/** Records are never replaced: the same one again, after a connection that broke, is taken for the first. */
async function insert(run: Run, rows: readonly (readonly [Uint8Array, Uint8Array])[]): Promise<void> {
  for (const some of inRows(rows)) {
    const { rowCount } = await run(
      `INSERT INTO entry VALUES ${placeholders(some.length)}
       ON CONFLICT (place) DO UPDATE SET value = EXCLUDED.value WHERE entry.value = EXCLUDED.value`,
      some.flat(),
    );
    if (rowCount !== some.length)
      throw new StorageError('storage/damaged', 'another record is in the place of one that was to be appended');
  }
}

export async function upsert(run: Run, rows: readonly (readonly [Uint8Array, Uint8Array])[]): Promise<void> {
  for (const some of inRows(rows))
    await run(
      `INSERT INTO entry VALUES ${placeholders(some.length)} ON CONFLICT (place) DO UPDATE SET value = EXCLUDED.value`,
      some.flat(),
    );
}

/** Parameters of one statement are binary, elements of an array would be hexadecimal text. */
const ROWS_PER_STATEMENT = 64;

function* inRows<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) yield rows.slice(at, at + ROWS_PER_STATEMENT);
}

function placeholders(rows: number): string {
  return Array.from({ length: rows }, (_, k) => `($${String(2 * k + 1)}, $${String(2 * k + 2)})`).join(', ');
}
