// What a silo keeps for itself between rounds: only what an applied round made counts.

import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keepOwn, layAside, readOwn } from '../../../silo-agent/own-state.js';
import { openStorageKey, SealedStore, Sealer } from '../../../src/storage/index.js';
import { writeFile } from 'node:fs/promises';
import { temporaryFolder } from '../../support/temporary-folder.js';

const RID = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array];
let store: { own: SealedStore };

beforeEach(async () => {
  const folder = temporaryFolder();
  const key = join(folder, 'storage.key');
  await writeFile(key, new Uint8Array(32).fill(9), { mode: 0o600 });
  const root = await openStorageKey(key);
  store = { own: await SealedStore.open(join(folder, 'own'), Sealer.derive(root, 'agent-own')) };
});

describe('a silo’s own state of a job', () => {
  it('is nothing at first, and what a round made once that round is applied', async () => {
    expect(await readOwn(store, 'job-1')).toBeUndefined();
    await layAside(store, 'job-1', RID[0], Float64Array.of(1, -2.5));
    expect(await readOwn(store, 'job-1')).toBeUndefined();
    await keepOwn(store, 'job-1', RID[0]);
    expect([...(await readOwn(store, 'job-1'))!]).toEqual([1, -2.5]);
    expect(await readOwn(store, 'job-2')).toBeUndefined();
  });

  it('does not count what a round made that was not applied', async () => {
    await layAside(store, 'job-1', RID[0], Float64Array.of(1));
    await keepOwn(store, 'job-1', RID[0]);
    await layAside(store, 'job-1', RID[1], Float64Array.of(2));
    // A result of another round than the one that waits.
    await keepOwn(store, 'job-1', RID[0]);
    expect([...(await readOwn(store, 'job-1'))!]).toEqual([1]);
    await layAside(store, 'job-1', RID[0], Float64Array.of(3));
    await keepOwn(store, 'job-1', RID[0]);
    expect([...(await readOwn(store, 'job-1'))!]).toEqual([3]);
  });

  it('may be kept twice, as after a crash', async () => {
    await layAside(store, 'job-1', RID[0], Float64Array.of(4));
    await keepOwn(store, 'job-1', RID[0]);
    await keepOwn(store, 'job-1', RID[0]);
    expect([...(await readOwn(store, 'job-1'))!]).toEqual([4]);
  });
});
