// Says what of a stopped program's state is whole and what is not. Changes nothing: deciding is for a person (docs/operations.md).

import { isTemporaryName } from '../system/index.js';
import type { BlobStore } from './blob.js';
import { listFolder } from './blob.js';
import { Environment } from './environment.js';
import { StorageError } from './errors.js';
import { pageFileOf, signalOfReading, unreadable } from './page-file.js';
import { checkFormat, firstIn, headsIn, Journal, openValue } from './journal.js';
import type { JournalRecord, ObjectStore } from './kinds.js';
import { nameOf, recordOf, tableRange } from './place.js';
import type { SealedStore } from './sealed-file.js';
import type { Sealer } from './seal.js';

export interface Problem {
  /** Which record or file, by name: never its content. */
  readonly where: string;
  readonly what: string;
}

export interface CheckReport {
  /** Records or files that are whole. */
  readonly whole: number;
  readonly problems: readonly Problem[];
}

export interface JournalReport extends CheckReport {
  /** Records per journal that are whole. */
  readonly journals: ReadonlyMap<string, number>;
}

/**
 * As checkJournal, but the file is first read by a process of its own, because damaged pages can end their reader; and a store that
 * cannot be opened is a problem of its own, beside which other parts can still be looked at.
 */
export async function checkJournalApart(path: string, sealer?: Sealer): Promise<JournalReport> {
  const nothing = { whole: 0, journals: new Map<string, number>() };
  try {
    const file = await pageFileOf(path);
    if (file === undefined) return { ...nothing, problems: [{ where: 'data.mdb', what: 'is not there' }] };
    const signal = await signalOfReading(path);
    if (signal !== undefined) throw unreadable(file, signal);
    return await checkJournal(path, sealer);
  } catch (cause) {
    if (!(cause instanceof StorageError) || cause.code === 'storage/wrong-key') throw cause;
    return { ...nothing, problems: [{ where: 'journal', what: `${cause.code}: ${cause.message}` }] };
  }
}

/** What stands for the check of something that rests on a journal that is not whole. */
export function unchecked(): CheckReport {
  return { whole: 0, problems: [{ where: 'records', what: 'were not folded, since the journal is not whole' }] };
}

/** Opens every record and value, and counts the sequences through. Throws when the store as a whole cannot be opened. */
export async function checkJournal(path: string, sealer?: Sealer): Promise<JournalReport> {
  const environment = await Environment.open(path, { readOnly: true });
  try {
    checkFormat(environment, sealer);
    const first = (journal: string): number => firstIn(environment, sealer, journal);
    return await checkRecords((table) => environment.range(tableRange(table)), sealer, first);
  } finally {
    await environment.close();
  }
}

interface Entry {
  readonly place: Uint8Array;
  readonly value: Uint8Array;
}

/** As checkJournal, wherever the entries of a table come from. */
export async function checkRecords(
  entriesOf: (table: 'journal' | 'head' | 'pair') => Iterable<Entry> | AsyncIterable<Entry>,
  sealer: Sealer | undefined,
  firstOf: (journal: string) => number = () => 1,
): Promise<JournalReport> {
  const problems: Problem[] = [];
  const journals = new Map<string, number>();
  const expected = new Map<string, number>();
  for await (const { place, value } of entriesOf('journal')) {
    const record = recordOf(place);
    if (record === undefined) {
      problems.push({ where: 'journals', what: 'a key is no journal record’s' });
      continue;
    }
    const { journal, sequence } = record;
    const next = expected.get(journal) ?? firstOf(journal);
    if (sequence !== next)
      problems.push({ where: `${journal}/${String(next)}`, what: `missing up to ${String(sequence - 1)}` });
    expected.set(journal, sequence + 1);
    const problem = problemOf(() => openValue(sealer, place, value));
    if (problem === undefined) journals.set(journal, (journals.get(journal) ?? 0) + 1);
    else problems.push({ where: `${journal}/${String(sequence)}`, what: problem });
  }
  const heads: Entry[] = [];
  for await (const entry of entriesOf('head')) heads.push(entry);
  checkHeads(heads, sealer, expected, problems);
  let whole = [...journals.values()].reduce((sum, count) => sum + count, 0);
  for await (const { place, value } of entriesOf('pair')) {
    const problem = problemOf(() => openValue(sealer, place, value));
    if (problem === undefined) whole += 1;
    else problems.push({ where: `key ${nameOf(place)}`, what: problem });
  }
  return { whole, problems, journals };
}

function checkHeads(
  entries: readonly Entry[],
  sealer: Sealer | undefined,
  expected: ReadonlyMap<string, number>,
  problems: Problem[],
): void {
  const heads = new Map<string, number>();
  const problem = problemOf(() => {
    for (const [journal, head] of headsIn(entries, sealer)) heads.set(journal, head);
  });
  if (problem !== undefined) problems.push({ where: 'heads', what: problem });
  for (const journal of new Set([...heads.keys(), ...expected.keys()])) {
    const last = (expected.get(journal) ?? 1) - 1;
    const head = heads.get(journal);
    if (head !== last)
      problems.push({ where: journal, what: `ends at ${String(last)}, and its head says ${String(head)}` });
  }
}

/** Hashes every object anew. */
export async function checkObjects(store: ObjectStore): Promise<CheckReport> {
  const problems: Problem[] = [];
  let whole = 0;
  for (const hash of await store.list()) {
    if (await store.isWhole(hash)) whole += 1;
    else problems.push({ where: hash, what: 'its bytes have another hash' });
  }
  return { whole, problems };
}

/** Hashes every blob anew, and names what else is in its folder. */
export async function checkBlobs(store: BlobStore): Promise<CheckReport> {
  const { whole, problems } = await checkObjects(store);
  const strangers: Problem[] = [];
  const known = new Set(await store.list());
  for (const name of await listFolder(store.directory))
    if (!known.has(name))
      strangers.push({ where: name, what: isTemporaryName(name) ? 'left half written' : 'is no blob' });
  return { whole, problems: [...problems, ...strangers] };
}

/** Opens every block of every sealed file. */
export async function checkSealed(store: SealedStore): Promise<CheckReport> {
  const problems: Problem[] = [];
  let whole = 0;
  for (const name of await store.list()) {
    try {
      for await (const block of store.read(name)) block.fill(0);
      whole += 1;
    } catch (cause) {
      problems.push({ where: name, what: describe(cause) });
    }
  }
  return { whole, problems };
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (cause) {
    return describe(cause);
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'unknown failure';
}

/**
 * Folds one journal of the store in the folder `path`, record by record, beside whoever writes it; `step` says why one does not fold.
 * Nothing after that one can be judged.
 */
export async function checkFold(
  path: string,
  sealer: Sealer | undefined,
  journal: string,
  step: (bytes: Uint8Array) => string | undefined,
): Promise<CheckReport> {
  const records = await Journal.open({ path, sealer, readOnly: true });
  try {
    return await foldRecords(records.readAll(journal), step);
  } finally {
    await records.close();
  }
}

/** As checkFold, wherever the records come from. */
export async function foldRecords(
  records: AsyncIterable<JournalRecord>,
  step: (bytes: Uint8Array) => string | undefined,
): Promise<CheckReport> {
  let whole = 0;
  for await (const { bytes, sequence } of records) {
    const problem = step(bytes);
    if (problem !== undefined) return { whole, problems: [{ where: `record ${String(sequence)}`, what: problem }] };
    whole += 1;
  }
  return { whole, problems: [] };
}

/** Reports by the name of what they are about, in lines for a person: what is whole, then each problem by name. */
export function describeChecks(reports: ReadonlyMap<string, CheckReport>): {
  readonly lines: string[];
  readonly whole: boolean;
} {
  const lines = [...reports].flatMap(([name, report]) => describeCheck(name, report));
  return { lines, whole: [...reports.values()].every(({ problems }) => problems.length === 0) };
}

function describeCheck(name: string, { whole, problems }: CheckReport): string[] {
  const state = problems.length === 0 ? 'whole' : `${String(problems.length)} NOT WHOLE`;
  return [
    `${name.padEnd(12)} ${String(whole).padStart(6)} whole   ${state}`,
    ...problems.map(({ where, what }) => `  ${where}: ${what}`),
  ];
}
