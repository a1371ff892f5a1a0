import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hash, LABELS, SecretBytes } from '../../../src/crypto/index.js';
import { maskable, type MaskableVector } from '../../../src/job/index.js';
import { BlobStore, Journal, SealedStore, Sealer } from '../../../src/storage/index.js';
import { forgetInput, inputName, storedInput, storeInput } from '../../../silo-agent/input-store.js';
import type { Store } from '../../../silo-agent/store.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function openIn(folder: string): Promise<Store> {
  const root = SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(9));
  return {
    journal: await Journal.open({ path: join(folder, 'journal'), sealer: Sealer.derive(root, 'agent-journal') }),
    own: await SealedStore.open(join(folder, 'own'), Sealer.derive(root, 'agent-own')),
    inputs: await SealedStore.open(join(folder, 'inputs'), Sealer.derive(root, 'agent-inputs')),
    models: await BlobStore.open(join(folder, 'models')),
    blobs: await BlobStore.open(join(folder, 'blobs')),
    root,
    close: () => Promise.resolve(),
  };
}

const inputHash = hash(LABELS.inputKey, Uint8Array.of(1));
const heart = { dataSet: 'heart', dataSetVersion: new Uint8Array(32).fill(7) };
const vector = (length: number): MaskableVector =>
  maskable({ segments: [], length }, { values: new Int32Array(length), saturated: 0 }, undefined);
const keys = (count: number): Uint8Array[] => Array.from({ length: count }, (_, k) => new Uint8Array(32).fill(k));

describe('a stored input', () => {
  it('is found again with its keys and data set, however many keys there are, also after a restart', async () => {
    const folder = temporaryFolder();
    const store = await openIn(folder);
    await storeInput(store, { inputHash, inputKeys: keys(300), ...heart }, vector(25));
    await store.journal.close();
    const again = await openIn(folder);
    expect(await storedInput(again, inputHash)).toEqual({ inputHash, inputKeys: keys(300), ...heart });
    await again.journal.close();
  });

  it('does not count while one of its two parts is missing, and is then written anew', async () => {
    const store = await openIn(temporaryFolder());
    await store.inputs.put(inputName(inputHash), new Uint8Array(100).fill(1));
    expect(await storedInput(store, inputHash)).toBeUndefined();
    await storeInput(store, { inputHash, inputKeys: keys(1), ...heart }, vector(25));
    expect((await storedInput(store, inputHash))?.inputKeys).toEqual(keys(1));
    await store.inputs.delete(inputName(inputHash));
    expect(await storedInput(store, inputHash)).toBeUndefined();
    await store.journal.close();
  });

  it('is gone when it was forgotten, and forgetting it twice does no harm', async () => {
    const store = await openIn(temporaryFolder());
    await storeInput(store, { inputHash, inputKeys: keys(2), ...heart }, vector(1));
    await forgetInput(store, inputName(inputHash));
    await forgetInput(store, inputName(inputHash));
    expect(await storedInput(store, inputHash)).toBeUndefined();
    expect(await store.inputs.list()).toEqual([]);
    await store.journal.close();
  });
});
