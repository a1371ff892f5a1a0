// A journal whose pages were damaged on disk. LMDB checks little of them; what it notices must come with our code.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJournal, Journal } from '../../../src/storage/index.js';
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
