// Files that are whole or absent after any crash. A write is acknowledged only when the bytes and the name are both on the disk.

import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './errors.js';
import { failpoint } from './failpoint.js';

export interface WriteOptions {
  /** Permission bits of the file, 0644 unless stated; the process's umask can only take bits away. */
  readonly mode?: number;
  /** False: refuse with system/exists when the path is taken. True unless stated. */
  readonly replace?: boolean;
  /** What is written, in the names of failpoints: the name of its folder unless stated. */
  readonly what?: string;
}

/** Bytes at once, or pieces in order for what should not be held in memory whole. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** Puts `content` at `path`: temporary file in the same folder, fsync, rename, fsync of the folder. */
export async function writeFileDurably(path: string, content: Content, options: WriteOptions = {}): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)));
  const what = options.what ?? folderOf(path);
  failpoint('system.before-write', what);
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o644);
    try {
      for await (const piece of content instanceof Uint8Array ? [content] : content) await writeAll(file, piece);
      await file.sync();
    } finally {
      await file.close();
    }
    failpoint('system.before-rename', what);
    if (options.replace === false) {
      // A hard link, unlike a rename, fails when the name is taken, and does so atomically.
      await link(temporary, path);
      await unlink(temporary);
    } else {
      await rename(temporary, path);
    }
    await syncDirectory(dirname(path));
    failpoint('system.after-write', what);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    // What a content stream throws by itself (a hash that does not match) is not the disk's doing.
    if (cause instanceof Error && !('syscall' in cause)) throw cause;
    throw fileError('writing', path, cause);
  }
}

/** Adds `bytes` to the end of `path` and waits for the disk. A crash may leave a prefix of `bytes`: callers frame their records. */
export async function appendDurably(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  try {
    const { file, created } = await openForAppend(path, mode);
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (created) await syncDirectory(dirname(path));
  } catch (cause) {
    throw fileError('appending to', path, cause);
  }
}

async function openForAppend(path: string, mode: number): Promise<{ file: FileHandle; created: boolean }> {
  try {
    return { file: await open(path, 'ax', mode), created: true };
  } catch {
    return { file: await open(path, 'a', mode), created: false };
  }
}

/** Writes all of `bytes` at the handle's position: a single write may be short. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number | null = null): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position === null ? null : position + at);
    at += bytesWritten;
  }
}

/** Makes renames, creations and deletions in `path` survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (cause) {
    throw fileError('syncing the folder', path, cause);
  }
}

/** Creates `path` with the folders above it, durably, readable by this account alone unless `mode` says otherwise. */
export async function makeDirectory(path: string, mode = 0o700): Promise<void> {
  try {
    failpoint('system.before-folder', basename(path));
    const first = await mkdir(path, { recursive: true, mode });
    if (first !== undefined) await syncDirectory(dirname(first));
    failpoint('system.after-folder', basename(path));
  } catch (cause) {
    throw fileError('creating the folder', path, cause);
  }
}

/** Removes `path` for good; nothing happens when it is not there. */
export async function removeDurably(path: string): Promise<void> {
  failpoint('system.before-remove', folderOf(path));
  try {
    await unlink(path);
  } catch (cause) {
    const error = fileError('deleting', path, cause);
    if (error.code === 'system/not-found') return;
    throw error;
  }
  await syncDirectory(dirname(path));
  failpoint('system.after-remove', folderOf(path));
}

function folderOf(path: string): string {
  return basename(dirname(path));
}

function temporaryName(name: string): string {
  return `.${name}.${randomBytes(6).toString('hex')}.tmp`;
}

/** True for what a crash can leave behind in a folder written by `writeFileDurably`: never read, free to delete. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);
}
