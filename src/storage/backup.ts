// A copy of a stopped program's state folder that can be checked by itself: SHA256SUMS as sha256sum reads it, and VEILSUM-BACKUP, which says
// whose state it is and is written last. What is sealed stays sealed; the storage key is not in it.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { utf8 } from '../base/index.js';
import {
  errnoOf,
  fileError,
  isTemporaryName,
  makeDirectory,
  syncDirectory,
  SYSTEM_ERRORS,
  SystemError,
  writeFileDurably,
} from '../system/index.js';
import { StorageError } from './errors.js';

const LABEL = 'VEILSUM-BACKUP';
const SUMS = 'SHA256SUMS';
const FILES = 'files';
const FORMAT = 'veilsum-backup/1';
/** Some 150 bytes a file: over a million files. */
const SUMS_BYTES_MAX = 256 * 1024 * 1024;
const LABEL_BYTES_MAX = 4096;
const LABEL_TEXT =
  /^veilsum-backup\/1\nprogram (\S+)\nmember (\S+)\nroster ([0-9a-f]{64})\ncreated (\d{1,15})\nsums ([0-9a-f]{64})\n$/;
/** No part of a path begins with a dot, so that it leads nowhere else. */
const SUM_LINE = /^([0-9a-f]{64}) {2}files\/([A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)$/;

/** Whose state it is: restoring somebody else's is refused. */
export interface BackupOwner {
  readonly program: string;
  readonly member: string;
  /** Hex of the roster's hash. */
  readonly roster: string;
}

export interface Backup extends BackupOwner {
  readonly createdUnixMs: number;
  readonly files: ReadonlyMap<string, string>;
}

export interface BackupOptions {
  /** The state folder. The caller holds its lock while a backup is written, and nobody has it while one is restored. */
  readonly state: string;
  /** Folder of the backup. */
  readonly backup: string;
  readonly owner: BackupOwner;
  readonly onFile?: ((done: number, files: number) => void) | undefined;
}

/** Throws StorageError `storage/not-empty` when the backup's folder holds anything, SystemError for what the disk refuses. */
export async function writeBackup(options: BackupOptions & { readonly atUnixMs: number }): Promise<Backup> {
  const { state, backup, owner, onFile, atUnixMs } = options;
  await demandEmpty(backup);
  const paths = await filesUnder(state);
  if (paths.length === 0)
    throw new SystemError('system/not-found', `${state} holds no state`, { remedy: SYSTEM_ERRORS['system/not-found'] });
  const files = new Map<string, string>();
  for (const path of paths) {
    files.set(path.split(sep).join('/'), await copy(join(state, path), join(backup, FILES, path)));
    onFile?.(files.size, paths.length);
  }
  const sums = utf8([...files].map(([path, sha256]) => `${sha256}  ${FILES}/${path}\n`).join(''));
  await writeFileDurably(join(backup, SUMS), sums, { mode: 0o600 });
  const { program, member, roster } = owner;
  const label = [FORMAT, `program ${program}`, `member ${member}`, `roster ${roster}`, `created ${String(atUnixMs)}`];
  const text = [...label, `sums ${sha256Of(sums)}`, ''].join('\n');
  await writeFileDurably(join(backup, LABEL), utf8(text), { mode: 0o600 });
  return { ...owner, createdUnixMs: atUnixMs, files };
}

/** Throws `storage/backup-damaged` when label or sums are not whole. The files are compared with the sums when they are restored. */
export async function readBackup(backup: string): Promise<Backup> {
  const label = LABEL_TEXT.exec((await readPart(backup, LABEL, LABEL_BYTES_MAX)).toString('utf8'));
  if (label === null) throw damaged(`${LABEL} does not say what this version writes there (${FORMAT})`);
  const [, program = '', member = '', roster = '', created, expected] = label;
  const sums = await readPart(backup, SUMS, SUMS_BYTES_MAX);
  if (sha256Of(sums) !== expected) throw damaged(`${SUMS} has other bytes than ${LABEL} says`);
  const files = new Map<string, string>();
  for (const line of sums.toString('utf8').split('\n').slice(0, -1)) {
    const [, sha256, path] = SUM_LINE.exec(line) ?? [];
    if (sha256 === undefined || path === undefined) throw damaged(`a line of ${SUMS} is no sum of a file of a state`);
    files.set(path, sha256);
  }
  return { program, member, roster, createdUnixMs: Number(created), files };
}

async function readPart(backup: string, name: string, bytesMax: number): Promise<Buffer> {
  const path = join(backup, name);
  try {
    const { size } = await stat(path);
    if (size > bytesMax) throw damaged(`${name} has ${String(size)} bytes, more than any`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    if (errnoOf(cause) === 'ENOENT') throw damaged(`${path} is not there: the backup was not finished, or is none`);
    throw fileError('reading', path, cause);
  }
}

/**
 * Puts the files of a backup where there is no state, all or none. Throws `storage/backup-foreign` for another program's, member's or
 * roster's, `storage/backup-damaged` for bytes that are not those of the index, `storage/not-empty` where there is a state already.
 */
export async function restoreBackup({ state, backup, owner, onFile }: BackupOptions): Promise<Backup> {
  const found = await readBackup(backup);
  for (const what of ['program', 'member', 'roster'] as const)
    if (found[what] !== owner[what])
      throw new StorageError(
        'storage/backup-foreign',
        `the ${what} of the backup is ${found[what]}, this configuration's is ${owner[what]}`,
      );
  await demandEmpty(state);
  const draft = `${state}.restoring`;
  // Left by a restoration that did not end.
  await rm(draft, { recursive: true, force: true });
  await makeDirectory(draft);
  let done = 0;
  for (const [path, sha256] of found.files) {
    if ((await copy(join(backup, FILES, path), join(draft, path))) !== sha256)
      throw damaged(`${path} has other bytes than when the backup was made`);
    onFile?.(++done, found.files.size);
  }
  try {
    await rmdir(state).catch((cause: unknown) => {
      if (errnoOf(cause) !== 'ENOENT') throw cause;
    });
    await rename(draft, state);
  } catch (cause) {
    throw fileError('renaming the restored folder to', state, cause);
  }
  await syncDirectory(dirname(state));
  return found;
}

async function demandEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw fileError('reading the folder', folder, cause);
  });
  if (names.length > 0)
    throw new StorageError(
      'storage/not-empty',
      `${folder} holds ${names[0] ?? ''} and ${String(names.length - 1)} more`,
    );
}

/** Paths of all files that are part of a state: not who holds it, not LMDB's readers, not what a crash left half written. */
async function filesUnder(state: string): Promise<string[]> {
  try {
    const entries = await readdir(state, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !isTemporaryName(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(state.length + 1))
      .filter((path) => !/^lock\.|(^|[\\/])lock\.mdb$/.test(path))
      .sort();
  } catch (cause) {
    throw fileError('reading the folder', state, cause);
  }
}

/** Copies a file of any size; resolves with its SHA-256 when it is durable. */
async function copy(from: string, to: string): Promise<string> {
  await makeDirectory(dirname(to));
  const hash = createHash('sha256');
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of createReadStream(from) as AsyncIterable<Buffer>) {
        hash.update(piece);
        yield piece;
      }
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') throw damaged(`${from} is not there`);
      throw fileError('reading', from, cause);
    }
  };
  await writeFileDurably(to, content(), { mode: 0o600 });
  return hash.digest('hex');
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function damaged(message: string): StorageError {
  return new StorageError('storage/backup-damaged', message);
}
