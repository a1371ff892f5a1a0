// Masked inputs that a kill has left: those of an attempt that nobody works on go at the next start, those that a round rests on stay.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { dropOldUploads } from '../../../coordinator/old-uploads.js';
import { openUploads, uploadName } from '../../../coordinator/store.js';
import { utf8 } from '../../../src/base/index.js';
import { BlobStore } from '../../../src/storage/index.js';
import type { CoordinatorState } from '../../../src/protocol/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const rid = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [OPEN, CLOSED, UNKNOWN] = [rid(1), rid(2), rid(3)];
const state = {
  jobs: new Map([
    [
      'job',
      {
        open: { plan: { rid: OPEN }, attempt: { context: { attempt: { attempt: 2 } } } },
        closed: [{ plan: { rid: CLOSED } }],
      },
    ],
  ]),
} as unknown as CoordinatorState;

it('keeps what an open attempt or a closed round rests on, and deletes every other upload', async () => {
  const folder = temporaryFolder();
  const before = await openUploads(folder);
  const kept = [uploadName(OPEN, 2, 0), uploadName(OPEN, 2, 1), uploadName(CLOSED, 1, 0)];
  for (const name of [...kept, uploadName(OPEN, 1, 0), uploadName(UNKNOWN, 1, 0)]) {
    const upload = await before.upload(name);
    await upload.append(0, utf8('abc'));
    await upload.sync();
  }
  await before.close();
  // As the next process finds it.
  const uploads = await openUploads(folder);
  onTestFinished(() => uploads.close());
  expect(uploads.names()).toHaveLength(5);
  await dropOldUploads(() => state, uploads);
  expect(uploads.names()).toEqual([...kept].sort());
});

it('finds an object that was left half written when the store is opened, and deletes it', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, `.${'a'.repeat(64)}.0123456789ab.tmp`), 'half');
  const store = await BlobStore.open(folder);
  expect(await store.list()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
