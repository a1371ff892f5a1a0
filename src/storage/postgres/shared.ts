// The shared store as one thing: opened from settings, closed as a whole.

import type { SecretBytes } from '../../crypto/index.js';
import type { PieceStore } from '../kinds.js';
import type { BlobHasher } from '../blob.js';
import { PieceFiles } from '../pieces/files.js';
import { Sealer } from '../seal.js';
import type { SpoolLimits } from '../spool.js';
import { Bell, ring } from './bell.js';
import { Database } from './database.js';
import { PostgresJournal } from './journal.js';
import { Lease } from './lease.js';
import { Meeting } from './meeting.js';
import { PostgresObjects } from './objects.js';
import { DatabasePieces, sweep } from './pieces.js';
import { prepareSchema } from './schema.js';
import type { DatabaseSettings } from './settings.js';
import { PostgresUploads } from './uploads.js';
import type { S3Settings } from '../pieces/s3.js';

export type PiecesSettings =
  | { readonly kind: 'database' }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 's3'; readonly s3: S3Settings };

export interface SharedSettings {
  readonly database: DatabaseSettings;
  readonly pieces: PiecesSettings;
  readonly leaseMs: number;
}

export interface SharedStore {
  readonly database: Database;
  readonly lease: Lease;
  readonly bell: Bell;
  readonly meeting: Meeting;
  readonly journal: PostgresJournal;
  readonly uploads: PostgresUploads;
  readonly pieces: PieceStore;
  objects(space: string, hasher?: () => BlobHasher): PostgresObjects;
  /** Deletes bytes that a crash left without a name. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface SharedOptions extends SharedSettings {
  readonly root: SecretBytes<'storage-root'>;
  readonly uploads: SpoolLimits;
}

/** Makes the tables where there are none. Throws StorageError `storage/…`. */
export async function openShared(options: SharedOptions): Promise<SharedStore> {
  const { root } = options;
  const database = new Database(options.database);
  const bell = new Bell(database);
  let pieces: PieceStore | undefined;
  try {
    await prepareSchema(database);
    pieces = await openPieces(database, options.pieces);
    const open = pieces;
    const lease = new Lease(database, options.leaseMs);
    const journal = await PostgresJournal.open({
      database,
      lease,
      // The same key and places as in LMDB: a sealed record means the same in both.
      sealer: Sealer.derive(root, 'coordinator-journal'),
      onCommit: (run) => ring(run, database.schema, 'journal'),
    });
    return {
      database,
      lease,
      bell,
      journal,
      pieces,
      meeting: new Meeting(database, lease, bell, Sealer.derive(root, 'coordinator-meeting')),
      uploads: new PostgresUploads({ database, lease, pieces, limits: options.uploads }),
      objects: (space, hasher) => new PostgresObjects({ database, lease, pieces: open }, space, hasher),
      sweep: () => sweep(database, open),
      close: async () => {
        await bell.close();
        await lease.release().catch(() => undefined);
        await open.close();
        await database.close();
      },
    };
  } catch (error) {
    await pieces?.close();
    await database.close();
    throw error;
  }
}

export async function openPieces(database: Database, settings: PiecesSettings): Promise<PieceStore> {
  switch (settings.kind) {
    case 'database':
      return new DatabasePieces(database);
    case 'folder':
      return PieceFiles.open(settings.folder);
    case 's3':
      // The client of an object store is large, and most have none.
      return (await import('../pieces/s3.js')).S3Pieces.open(settings.s3);
  }
}
