// storage: what must survive. A journal with atomic, durable commits; blobs under their hash; spool files for uploads; sealing at rest;
// the transparency log; and a check of them all. Nothing here knows what the bytes mean.

export type { Backup, BackupOwner } from './backup.js';
export { readBackup, restoreBackup, writeBackup } from './backup.js';
export type { BlobHasher } from './blob.js';
export { BlobStore, plainSha256 } from './blob.js';
export * from './errors.js';
export * from './fsck.js';
export type { JournalOptions } from './journal.js';
export { Journal, RECORD_BYTES_MAX } from './journal.js';
export { checkLog } from './log/check.js';
export type { NumberedEntry } from './log/log.js';
export { TransparencyLog } from './log/log.js';
export { openStorageKey, Sealer } from './seal.js';
export { SealedStore } from './sealed-file.js';
export type { SpoolLimits, Upload } from './spool.js';
export { Spool } from './spool.js';
export type * from './kinds.js';
export type { S3Settings } from './pieces/s3.js';
export { isAway } from './postgres/database.js';
export type { Bell, Topic } from './postgres/bell.js';
export type { Lease } from './postgres/lease.js';
export type { Meeting } from './postgres/meeting.js';
export type { DatabaseSettings } from './postgres/settings.js';
export { demandDatabase, describeDatabase } from './postgres/settings.js';
export type { PiecesSettings, SharedOptions, SharedSettings, SharedStore } from './postgres/shared.js';
export { openShared } from './postgres/shared.js';
export { examineDatabase, tryPieces, type DatabaseFacts } from './postgres/examine.js';
