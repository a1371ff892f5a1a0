// Where the coordinator keeps things. Alone, all under one state folder that one process holds:
//   journal/  accepted events (sealed), and a small table    blobs/   objects by SHA-256: models, sums, transcripts
//   models/   model states by their model hash               uploads/ masked inputs as they arrive
//   log/      the transparency log; log/public may be served as it is
// With PostgreSQL all but log/ is there, for several coordinators; each makes its log/ again from the journal.

import { join } from 'node:path';
import { hex, LIMITS } from '../src/base/index.js';
import { Hasher, LABELS, sha256 } from '../src/crypto/index.js';
import type { CoordinatorConfig } from '../src/config/index.js';
import {
  BlobStore,
  Journal,
  openShared,
  openStorageKey,
  Sealer,
  Spool,
  StorageError,
  TransparencyLog,
  type ObjectStore,
  type RecordStore,
  type SharedSettings,
  type SharedStore,
  type SmallTable,
  type UploadStore,
} from '../src/storage/index.js';
import { lockStateDirectory, makeDirectory } from '../src/system/index.js';
import type { BlobRef } from '../src/wire/index.js';

export interface Store {
  readonly journal: RecordStore;
  /** What people like to know and nothing rests on: any coordinator writes it. */
  readonly sightings: SmallTable;
  readonly blobs: ObjectStore;
  readonly models: ObjectStore;
  readonly uploads: UploadStore;
  readonly log: TransparencyLog;
  /** What several coordinators share; undefined where there is one. */
  readonly shared?: SharedStore;
  close(): Promise<void>;
}

/** Bytes of all uploads under way: two rounds of 200 silos at the largest vector would not fit any disk; this is what one machine has. */
const UPLOADS_BYTES = 512 * 1024 ** 3;

export type StoreConfig = Pick<CoordinatorConfig, 'state' | 'storage' | 'database'> & {
  readonly keys: Pick<CoordinatorConfig['keys'], 'storage'>;
};

/** Where the shared store is; undefined where the state folder holds everything. */
export function sharedSettings({ storage, database }: StoreConfig): SharedSettings | undefined {
  if (storage === 'embedded') return undefined;
  const { objects, leaseSeconds = 6, retrySeconds = 60, schema = 'veilsum', ...access } = database ?? {};
  const { folder, s3 } = objects ?? {};
  return {
    database: { url: storage, schema, retryMs: retrySeconds * 1000, ...access },
    pieces:
      folder !== undefined ? { kind: 'folder', folder } : s3 === undefined ? { kind: 'database' } : { kind: 's3', s3 },
    leaseMs: leaseSeconds * 1000,
  };
}

/** Throws SystemError `system/state-…`, StorageError `storage/…`. */
export async function openStore(config: StoreConfig): Promise<Store> {
  const { state } = config;
  await makeDirectory(state);
  const lock = await lockStateDirectory(state);
  try {
    const settings = sharedSettings(config);
    const opened = await (settings === undefined ? openEmbedded(config) : openTogether(config, settings));
    return {
      ...opened,
      close: async () => {
        await opened.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The caller holds the lock on the state folder. */
export async function openEmbedded({ state, keys }: Pick<StoreConfig, 'state' | 'keys'>): Promise<Store> {
  const root = await openStorageKey(keys.storage);
  const journal = await Journal.open({
    path: join(state, 'journal'),
    sealer: Sealer.derive(root, 'coordinator-journal'),
  });
  const blobs = await BlobStore.open(join(state, 'blobs'));
  const models = await BlobStore.open(join(state, 'models'), modelHasher);
  const uploads = await openUploads(state);
  const log = await TransparencyLog.open(join(state, 'log'));
  return {
    journal,
    sightings: journal,
    log,
    blobs,
    models,
    uploads,
    close: async () => {
      await uploads.close();
      await log.close();
      await journal.close();
    },
  };
}

/** A key of the small table that is there while a backup is copied into a database. */
export const RESTORING = 'restoring';

/** The caller holds the lock on the state folder. `unfinished`: a store that a restoration did not fill. */
export async function openTogether(
  { state, keys }: Pick<StoreConfig, 'state' | 'keys'>,
  settings: SharedSettings,
  unfinished: 'refused' | 'taken' = 'refused',
): Promise<Store & { readonly shared: SharedStore }> {
  const root = await openStorageKey(keys.storage);
  const shared = await openShared({ ...settings, root, uploads: { totalBytes: UPLOADS_BYTES } });
  try {
    if (unfinished === 'refused' && shared.journal.get(RESTORING) !== undefined)
      throw new StorageError(
        'storage/damaged',
        `a restoration into the schema ${settings.database.schema} did not end: drop the schema and restore again`,
      );
    const log = await TransparencyLog.open(join(state, 'log'));
    return {
      journal: shared.journal,
      sightings: shared.journal.common,
      blobs: shared.objects('blobs'),
      models: shared.objects('models', modelHasher),
      uploads: shared.uploads,
      log,
      shared,
      close: async () => {
        await log.close();
        await shared.close();
      },
    };
  } catch (error) {
    await shared.close();
    throw error;
  }
}

/** Of a model's state: its hash has a label of its own. */
export const modelHasher = (): Hasher => new Hasher(LABELS.model);

/** Masked inputs as they arrive. */
export function openUploads(state: string): Promise<Spool> {
  return Spool.open(join(state, 'uploads'), { totalBytes: UPLOADS_BYTES });
}

/** Keeps bytes under their SHA-256; durable when it resolves. */
export async function keepBlob(blobs: ObjectStore, bytes: Uint8Array): Promise<BlobRef> {
  const ref = { sha256: sha256(bytes), size: BigInt(bytes.length) };
  await blobs.put(hex(ref.sha256), bytes);
  return ref;
}

/** A whole object that is known to be small enough to hold. */
export async function readBlob(blobs: ObjectStore, hash: string): Promise<Uint8Array> {
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
