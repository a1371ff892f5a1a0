// Where an agent keeps things, all under one state folder that one process holds:
//   journal/ accepted events, sealed     inputs/ quantised inputs of open rounds, sealed     models/ model states by model hash
//   own/ what this silo keeps of a job for itself between rounds, sealed
//   blobs/   forward models and opened sums by SHA-256     offers/ and decisions/ what the operator's command reads and writes

import { join } from 'node:path';
import { Hasher, LABELS, type SecretBytes } from '../src/crypto/index.js';
import { BlobStore, Journal, openStorageKey, SealedStore, Sealer } from '../src/storage/index.js';
import { lockStateDirectory, makeDirectory } from '../src/system/index.js';

export interface Store {
  readonly journal: Journal;
  readonly inputs: SealedStore;
  readonly own: SealedStore;
  readonly models: BlobStore;
  readonly blobs: BlobStore;
  /** From which keys of this silo alone derive, such as that of the hold-out split. */
  readonly root: SecretBytes<'storage-root'>;
  close(): Promise<void>;
}

/** Throws SystemError `system/state-…`, StorageError `storage/…`. */
export async function openStore(state: string, storageKey: string): Promise<Store> {
  await makeDirectory(state);
  const lock = await lockStateDirectory(state);
  try {
    const root = await openStorageKey(storageKey);
    const journal = await Journal.open({ path: join(state, 'journal'), sealer: Sealer.derive(root, 'agent-journal') });
    const inputs = await SealedStore.open(join(state, 'inputs'), Sealer.derive(root, 'agent-inputs'));
    const own = await SealedStore.open(join(state, 'own'), Sealer.derive(root, 'agent-own'));
    const models = await BlobStore.open(join(state, 'models'), () => new Hasher(LABELS.model));
    const blobs = await BlobStore.open(join(state, 'blobs'));
    return {
      journal,
      inputs,
      own,
      models,
      blobs,
      root,
      close: async () => {
        await journal.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
