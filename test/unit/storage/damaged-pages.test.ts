// A journal whose pages were damaged on disk. LMDB checks little of them; what it notices must come with our code.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJournal, checkJournalApart, Journal } from '../../../src/storage/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const PAGE_BYTES = 4096;
/** Where LMDB's page header has the flags that say what kind of page it is. */
const FLAGS_AT = 18;

describe('a journal with a page that is of no kind', () => {
  it('is reported as damaged by its code', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path });
    for (let k = 0; k < 100; k++) await journal.append('silo', [new Uint8Array(500).fill(k)]);
    await journal.close();
    const file = join(path, 'data.mdb');
    const bytes = readFileSync(file);
    // All but the two pages with which the file begins.
    for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) bytes.writeUInt16LE(0, at + FLAGS_AT);
    writeFileSync(file, bytes);
    await expect(checkJournal(path)).rejects.toMatchObject({ code: 'storage/damaged' });
  });
});

describe('a journal whose free pages alone are damaged', () => {
  /** Where a page that begins with MDB_meta names the root of the tree of free pages, and the number of its transaction. */
  const FREE_ROOT_AT = 88;
  const TRANSACTION_AT = 152;

  it('is found by a rehearsed write, which changes nothing, and would have ended the next program that writes', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path });
    for (let k = 0; k < 40; k++) await journal.put('key', new Uint8Array(5000).fill(k));
    await journal.close();
    const file = join(path, 'data.mdb');
    const bytes = readFileSync(file);
    expect(await checkJournalApart(path)).toMatchObject({ whole: 1, problems: [] });
    expect(readFileSync(file).equals(bytes)).toBe(true);

    const newest = bytes.readBigUInt64LE(TRANSACTION_AT) > bytes.readBigUInt64LE(PAGE_BYTES + TRANSACTION_AT) ? 0 : 1;
    const root = Number(bytes.readBigUInt64LE(newest * PAGE_BYTES + FREE_ROOT_AT));
    bytes.fill(0xff, root * PAGE_BYTES, (root + 1) * PAGE_BYTES);
    writeFileSync(file, bytes);
    // Every record can be read.
    expect(await checkJournal(path)).toMatchObject({ whole: 1, problems: [] });
    const report = await checkJournalApart(path);
    expect(report.problems).toMatchObject([{ where: 'journal' }]);
    expect(report.problems[0]!.what).toContain('storage/damaged');
  });
});
