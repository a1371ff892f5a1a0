// One LMDB environment as bytes to bytes, with the two promises that the journal needs: a transaction is atomic, and durable when it
// resolves. Nothing else in Veilsum touches LMDB.

import type { RootDatabase } from 'lmdb';
import { ABORT, open } from 'lmdb';
import { chmod } from 'node:fs/promises';
import { fileError, makeDirectory, syncDirectory } from '../system/index.js';
import { StorageError } from './errors.js';
import { demandReadable } from './page-file.js';

/** Milliseconds to wait for LMDB's own account of a failed commit. */
const REASON_MS = 100;

/** Of a value that fits in no page that is in use: it has to be written to free ones. */
const REHEARSED_BYTES = 64 * 1024;

export type Change =
  | { readonly kind: 'put'; readonly place: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'remove'; readonly place: Uint8Array };

export interface EnvironmentOptions {
  readonly readOnly?: boolean;
  /** Open a file that may end the process that reads it. */
  readonly unproven?: boolean;
}

export class Environment {
  readonly #database: RootDatabase<Buffer, Uint8Array>;
  #state: 'open' | 'failed' | 'closed' = 'open';
  readonly #underWay = new Set<Promise<void>>();

  private constructor(database: RootDatabase<Buffer, Uint8Array>) {
    this.#database = database;
  }

  /** Opens the environment in the folder `path`, created when missing and readable by this account alone. */
  static async open(path: string, options: EnvironmentOptions = {}): Promise<Environment> {
    if (options.readOnly !== true) await makeDirectory(path);
    if (options.unproven !== true) await demandReadable(path);
    try {
      // LMDB makes its files with the umask's mode; the folder is what keeps others out.
      if (options.readOnly !== true) await chmod(path, 0o700);
      const database = open<Buffer, Uint8Array>({
        path,
        noSubdir: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        readOnly: options.readOnly === true,
        // With overlapping flushes a failed fsync would never settle `flushed`. Without, the commit itself waits for the disk and
        // rejects when the disk says no.
        overlappingSync: false,
      });
      if (options.readOnly !== true) await syncDirectory(path);
      return new Environment(database);
    } catch (cause) {
      throw fileError('opening the journal in', path, cause);
    }
  }

  get(place: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    this.#requireOpen();
    const value = read(() => this.#database.get(place));
    // LMDB's memory is only lent until the next read.
    return value === undefined ? undefined : new Uint8Array(value);
  }

  /** Entries from `start` up to but without `end`, in the order of their bytes, from one moment's view of the store. */
  *range(range: {
    readonly start: Uint8Array;
    readonly end: Uint8Array;
  }): Generator<{ place: Uint8Array<ArrayBuffer>; value: Uint8Array<ArrayBuffer> }> {
    this.#requireOpen();
    const entries = read(() => this.#database.getRange(range)[Symbol.iterator]());
    for (let next = read(() => entries.next()); next.done !== true; next = read(() => entries.next()))
      yield { place: new Uint8Array(next.value.key), value: new Uint8Array(next.value.value) };
  }

  /** All or nothing, durable when the promise resolves. After a rejection the environment takes no more: the caller ends the process. */
  async commit(changes: readonly Change[]): Promise<void> {
    this.#requireOpen();
    const run = this.#commit(changes);
    this.#underWay.add(run);
    try {
      await run;
    } finally {
      this.#underWay.delete(run);
    }
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    try {
      // A child transaction, because a plain one would commit what came before a throw.
      await this.#database.childTransaction(() => {
        for (const change of changes) {
          if (change.kind === 'put') this.#database.putSync(change.place, asBuffer(change.value));
          else this.#database.removeSync(change.place);
        }
      });
      await this.#database.flushed;
    } catch (cause) {
      this.#state = 'failed';
      throw new StorageError('storage/persist-failed', 'a commit did not reach the disk', {
        cause: await reasonOf(cause),
      });
    }
    if (this.#isFailed())
      throw new StorageError('storage/persist-failed', 'a commit made at the same time did not reach the disk');
  }

  /** Begins to write as a commit would, and gives up: shows whether the pages that a commit needs can be read. Changes nothing. */
  rehearse(place: Uint8Array): void {
    this.#requireOpen();
    read(() =>
      this.#database.transactionSync(() => {
        this.#database.putSync(place, asBuffer(new Uint8Array(REHEARSED_BYTES)));
        return ABORT;
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // LMDB would refuse the writes of a transaction that has not begun yet.
    await Promise.allSettled(this.#underWay);
    await this.#database.close();
  }

  /** A method, because the state changes while a commit waits. */
  #isFailed(): boolean {
    return this.#state === 'failed';
  }

  #requireOpen(): void {
    if (this.#state !== 'open')
      throw new StorageError('storage/closed', `the store has ${this.#state === 'closed' ? 'been closed' : 'failed'}`);
  }
}

/** What LMDB finds wrong with its own pages comes as an error with a negative number. */
function read<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new StorageError('storage/damaged', 'the pages of the store are damaged', { cause });
  }
}

/** LMDB rejects with a wrapper whose `commitError` is a promise that rejects with the reason; unobserved it would end the process. */
async function reasonOf(cause: unknown): Promise<unknown> {
  if (!(cause instanceof Error) || !('commitError' in cause)) return cause;
  const reason = Promise.resolve(cause.commitError).catch((inner: unknown) => inner);
  // The reason may never be told; the failure itself must be.
  return Promise.race([reason, new Promise((resolve) => setTimeout(resolve, REASON_MS, cause))]);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
