// What can go wrong between a program and its machine: files, permissions, the state lock, a build that is not there.

import { CodedError, defineErrors } from '../base/index.js';

export const SYSTEM_ERRORS = defineErrors({
  'system/no-space': 'The disk, or this account’s quota on it, is full: free some space, then start the program again.',
  'system/not-found': 'A file or folder that was named does not exist: check the path.',
  'system/permission': 'The operating system refused access to a file: check owner and mode of it and of its folder.',
  'system/exists': 'A file that must not be replaced is already there: choose another path, or ask for replacement.',
  'system/io': 'Reading or writing a file failed: look at the disk and at the message of the operating system.',
  'system/too-large': 'A file is larger than anything that belongs there: check that the path names the right file.',
  'system/secret-exposed':
    'A secret file can be read or written by others: run chmod 600 on it, and replace the secret if others had access.',
  'system/state-in-use':
    'Another running process holds this state folder: stop it first; two processes on one state are never safe.',
  'system/state-held-elsewhere':
    'The state folder was last held on another machine or container, where it may still run: make sure that it is gone, then delete the named lock file.',
  'system/lock-damaged':
    'A lock file cannot be read as one: make sure that no process uses the state folder, then delete the named file.',
  'system/not-built': 'A compiled file is missing: run npm run build.',
  'system/pool-full': 'Too much work waits for the threads of this program: this is a bug, please report it.',
  'system/pool-closed': 'Work was given up because the program is ending: nothing is to be done.',
  'system/worker-failed':
    'A thread of this program ended in the middle of its work: look whether the machine ran out of memory, and start the program again.',
});

export type SystemErrorCode = keyof typeof SYSTEM_ERRORS;

export class SystemError extends CodedError<SystemErrorCode> {
  override readonly name = 'SystemError';
}

/** The errno name of what a node:fs call threw, such as ENOENT. */
export function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

const BY_ERRNO: Readonly<Record<string, SystemErrorCode>> = {
  ENOSPC: 'system/no-space',
  EDQUOT: 'system/no-space',
  EFBIG: 'system/no-space',
  ENOENT: 'system/not-found',
  ENOTDIR: 'system/not-found',
  EACCES: 'system/permission',
  EPERM: 'system/permission',
  EROFS: 'system/permission',
  EEXIST: 'system/exists',
};

/** Translates what a node:fs call threw. `doing` completes "while …", for example "writing"; an error that is already coded passes through. */
export function fileError(doing: string, path: string, cause: unknown): SystemError {
  if (cause instanceof SystemError) return cause;
  const errno = errnoOf(cause);
  const code = (errno === undefined ? undefined : BY_ERRNO[errno]) ?? 'system/io';
  return new SystemError(code, `${errno ?? 'an unknown error'} while ${doing} ${path}`, {
    cause,
    remedy: SYSTEM_ERRORS[code],
  });
}
