// All that a store holds, copied into an empty one of whatever back end: how a backup comes out of a database and goes into one, and so how
// a consortium moves from one machine to several.

import { StorageError, type ObjectStore } from '../src/storage/index.js';
import { RESTORING, type Store } from './store.js';

const CHUNK_BYTES = 1 << 20;
/** Bytes of records in one transaction. */
const BATCH_BYTES = 4 << 20;

export async function copyStore(from: Store, to: Store): Promise<void> {
  for (const name of from.journal.journals()) await copyJournal(from, to, name);
  for (const key of from.journal.keys()) {
    const value = from.journal.get(key);
    if (value !== undefined && key !== RESTORING) await to.journal.put(key, value);
  }
  await copyObjects(from.blobs, to.blobs);
  await copyObjects(from.models, to.models);
  for (const name of await from.uploads.names()) {
    const source = await from.uploads.upload(name);
    const copy = await to.uploads.upload(name);
    let at = 0;
    for await (const bytes of source.readChunks(CHUNK_BYTES)) {
      await copy.append(at, bytes);
      at += bytes.length;
    }
    await copy.sync();
  }
}

async function copyJournal(from: Store, to: Store, name: string): Promise<void> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for await (const record of from.journal.readAll(name)) {
    batch.push(record.bytes);
    bytes += record.bytes.length;
    if (bytes < BATCH_BYTES) continue;
    await to.journal.append(name, batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) await to.journal.append(name, batch);
}

async function copyObjects(from: ObjectStore, to: ObjectStore): Promise<void> {
  for (const hash of await from.list()) await to.put(hash, from.readChunks(hash, CHUNK_BYTES));
}

/** Throws storage/not-empty. */
export async function demandEmptyStore({ journal, blobs, models, uploads }: Store): Promise<void> {
  const held = [
    ...journal.journals(),
    ...journal.keys(),
    ...(await blobs.list()),
    ...(await models.list()),
    ...(await uploads.names()),
  ];
  if (held.length > 0)
    throw new StorageError(
      'storage/not-empty',
      `the database holds ${held[0] ?? ''} and ${String(held.length - 1)} more`,
    );
}
