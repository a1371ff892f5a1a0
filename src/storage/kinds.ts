// What a program needs of a store, whichever back end keeps it: files under one folder and one process (journal.ts, blob.ts, spool.ts), or
// PostgreSQL and several processes (postgres/). test/unit/storage/back-ends.test.ts holds both to the same promises.

import type { Content } from '../system/index.js';

/** Memory for a piece of this many bytes. */
export type Room = (bytes: number) => Uint8Array;

export type Write =
  | { readonly kind: 'append'; readonly journal: string; readonly record: Uint8Array }
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string };

export interface JournalRecord {
  /** From 1, without gaps within one journal. */
  readonly sequence: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Small values by name. */
export interface SmallTable {
  get(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** Keys that begin with `prefix`, in the order of their bytes. */
  keys(prefix?: string): string[];
  /** Resolves when it is durable. */
  put(key: string, value: Uint8Array): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/** Journals and a small table: see Journal for what each method promises. */
export interface RecordStore extends SmallTable {
  append(journal: string, records: readonly Uint8Array[]): Promise<number[]>;
  appendAtMost(journal: string, record: Uint8Array, maxRecords: number): Promise<boolean>;
  transaction(writes: readonly Write[]): Promise<number[]>;
  journals(): string[];
  lastSequence(journal: string): number;
  readAll(journal: string): AsyncGenerator<JournalRecord>;
  readFrom(journal: string, sequence: number): AsyncGenerator<JournalRecord>;
  close(): Promise<void>;
}

/** Objects under their hash: see BlobStore. */
export interface ObjectStore {
  put(hash: string, content: Content): Promise<void>;
  has(hash: string): Promise<boolean>;
  size(hash: string): Promise<number>;
  read(hash: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  readChunks(hash: string, chunkBytes: number, offset?: number, room?: Room): AsyncGenerator<Uint8Array>;
  delete(hash: string): Promise<void>;
  list(): Promise<string[]>;
  isWhole(hash: string): Promise<boolean>;
}

/** One upload under way: see Upload. */
export interface StoredUpload {
  /** Another one for the next upload of the same name. */
  readonly generation: string;
  readonly durableOffset: number;
  readonly length: number;
  append(offset: number, bytes: Uint8Array): Promise<void>;
  sync(): Promise<number>;
  readChunks(chunkBytes: number, room?: Room): AsyncGenerator<Uint8Array>;
}

/** Uploads by name: see Spool. */
export interface UploadStore {
  names(): readonly string[] | Promise<readonly string[]>;
  /** The upload of this name, created when missing. */
  upload(name: string): Promise<StoredUpload>;
  /** Generation of the upload that has this name now; undefined when there is none. */
  generationOf(name: string): Promise<string | undefined>;
  delete(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Where bytes lie that an index in PostgreSQL names: each piece is put once, under a key that nobody used before, and never changed. */
export interface PieceStore {
  /** Durable when it resolves. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Exactly these bytes. Throws storage/damaged where they are not there. */
  get(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Also of what is not there. */
  delete(key: string): Promise<void>;
  /** As `delete`, with what a process that was killed in the middle of `put` may have left. */
  discard(key: string): Promise<void>;
  close(): Promise<void>;
}
