// Where the coordinator keeps things, all under one state folder that one process holds:
//   journal/  accepted events (sealed), and a small table    blobs/   objects by SHA-256: models, sums, transcripts
//   models/   model states by their model hash               uploads/ masked inputs as they arrive
//   log/      the transparency log; log/public may be served as it is

import { join } from 'node:path';
import { hex, LIMITS } from '../src/base/index.js';
import { Hasher, LABELS, sha256 } from '../src/crypto/index.js';
import { BlobStore, Journal, openStorageKey, Sealer, Spool, TransparencyLog } from '../src/storage/index.js';
import { lockStateDirectory, makeDirectory } from '../src/system/index.js';
import type { BlobRef } from '../src/wire/index.js';

export interface Store {
  readonly journal: Journal;
  readonly blobs: BlobStore;
  readonly models: BlobStore;
  readonly uploads: Spool;
  readonly log: TransparencyLog;
  close(): Promise<void>;
}

/** Bytes of all uploads under way: two rounds of 200 silos at the largest vector would not fit any disk; this is what one machine has. */
const UPLOADS_BYTES = 512 * 1024 ** 3;

/** Throws SystemError `system/state-…`, StorageError `storage/…`. */
export async function openStore(state: string, storageKey: string): Promise<Store> {
  await makeDirectory(state);
  const lock = await lockStateDirectory(state);
  try {
    const root = await openStorageKey(storageKey);
    const journal = await Journal.open({
      path: join(state, 'journal'),
      sealer: Sealer.derive(root, 'coordinator-journal'),
    });
    const blobs = await BlobStore.open(join(state, 'blobs'));
    const models = await BlobStore.open(join(state, 'models'), () => new Hasher(LABELS.model));
    const uploads = await openUploads(state);
    const log = await TransparencyLog.open(join(state, 'log'));
    return {
      journal,
      log,
      blobs,
      models,
      uploads,
      close: async () => {
        await uploads.close();
        await log.close();
        await journal.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Masked inputs as they arrive. */
export function openUploads(state: string): Promise<Spool> {
  return Spool.open(join(state, 'uploads'), { totalBytes: UPLOADS_BYTES });
}

/** Keeps bytes under their SHA-256; durable when it resolves. */
export async function keepBlob(blobs: BlobStore, bytes: Uint8Array): Promise<BlobRef> {
  const ref = { sha256: sha256(bytes), size: BigInt(bytes.length) };
  await blobs.put(hex(ref.sha256), bytes);
  return ref;
}

/** A whole object that is known to be small enough to hold. */
export async function readBlob(blobs: BlobStore, hash: string): Promise<Uint8Array> {
  const size = await blobs.size(hash);
  return blobs.read(hash, 0, Math.min(size, LIMITS.modelBytes));
}

/** Beginning of the names of a round's uploads: 24 of the 32 bytes of its rid, which is what a name has room for. */
export function uploadPrefix(rid: Uint8Array): string {
  return `${hex(rid.subarray(0, 24))}.`;
}

/** Beginning of the names of an attempt's uploads. */
export function attemptPrefix(rid: Uint8Array, attempt: number): string {
  return `${uploadPrefix(rid)}${String(attempt)}.`;
}

/** Name of an upload: one per silo and attempt. */
export function uploadName(rid: Uint8Array, attempt: number, index: number): string {
  return `${attemptPrefix(rid, attempt)}${String(index)}`;
}
