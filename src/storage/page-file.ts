// LMDB maps its file into memory: one that was cut short ends whoever reads behind its end by SIGBUS, without a word. Here the file's size
// is compared with what its own newest account of itself says, and a file that is shorter is first read by a process that may die of it.
// The account is no proof by itself: pages at the end that are free need not be there.

import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileError, workerUrl } from '../system/index.js';
import { StorageError } from './errors.js';

/** mdb.c of lmdb-js: a page begins with 24 bytes; the two first pages then hold MDB_meta. */
const META_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_BYTES_AT = META_AT + 24;
const LAST_PAGE_AT = META_AT + 120;
const TRANSACTION_AT = META_AT + 128;
const META_BYTES = META_AT + 136;

export interface PageFile {
  /** Bytes on the disk. */
  readonly bytes: number;
  /** Bytes up to the last page that the newest account counts; undefined when there is no account that can be read. */
  readonly accounted: number | undefined;
}

/** Undefined when there is no file yet. `path`: folder of the environment. */
export async function pageFileOf(path: string): Promise<PageFile | undefined> {
  const name = join(path, 'data.mdb');
  try {
    const file = await open(name, 'r');
    try {
      const bytes = (await file.stat()).size;
      const head = new Uint8Array(META_BYTES);
      await file.read(head, 0, META_BYTES, 0);
      const first = accountIn(head);
      if (first === undefined) return { bytes, accounted: undefined };
      await file.read(head, 0, META_BYTES, first.pageBytes);
      const second = accountIn(head);
      const newest = second !== undefined && second.transaction > first.transaction ? second : first;
      return { bytes, accounted: newest.pages * newest.pageBytes };
    } finally {
      await file.close();
    }
  } catch (cause) {
    const error = fileError('reading', name, cause);
    if (error.code === 'system/not-found') return undefined;
    throw error;
  }
}

function accountIn(head: Uint8Array): { pageBytes: number; pages: number; transaction: bigint } | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (view.getUint32(META_AT, true) !== MAGIC) return undefined;
  return {
    pageBytes: view.getUint32(PAGE_BYTES_AT, true),
    pages: Number(view.getBigUint64(LAST_PAGE_AT, true)) + 1,
    transaction: view.getBigUint64(TRANSACTION_AT, true),
  };
}

/** Reads every entry in a process of its own. What ended that process, if a signal did. */
export async function signalOfReading(path: string): Promise<NodeJS.Signals | undefined> {
  const script = fileURLToPath(workerUrl(import.meta.url, './read-pages.js'));
  const child = spawn(process.execPath, [script, path], { stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      reject(fileError('reading', path, cause));
    });
    child.on('close', (_code, signal) => {
      resolve(signal ?? undefined);
    });
  });
}

/** Throws storage/damaged when reading the environment would end this process. Costs nothing while the file is as long as it says. */
export async function demandReadable(path: string): Promise<void> {
  const file = await pageFileOf(path);
  if (file?.accounted === undefined || file.bytes >= file.accounted) return;
  const signal = await signalOfReading(path);
  if (signal !== undefined) throw unreadable(file, signal);
}

/** The file itself, as an error: it was cut, or pages of it point anywhere. */
export function unreadable({ bytes, accounted }: PageFile, signal: NodeJS.Signals): StorageError {
  const says = accounted === undefined ? 'does not say how long it is' : `says that it has ${String(accounted)}`;
  return new StorageError(
    'storage/damaged',
    `data.mdb cannot be read: its reader was ended by ${signal}. It has ${String(bytes)} bytes and ${says}`,
  );
}
