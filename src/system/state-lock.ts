// One process on one state folder. A silo whose two processes answered from one journal could sign twice; so the lock refuses when in
// doubt, and yet needs no cleaning up after kill -9: a holder that no longer runs is no holder.
//
// The lock files are numbered, and the highest number holds. Whoever finds that holder dead creates the next number, which only one can
// do. The highest file is never deleted, not even on release, so a slow competitor's number is taken or already surpassed.

import { linkSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../base/index.js';
import { makeDirectory, writeFileDurably } from './durable.js';
import { errnoOf, fileError, SystemError } from './errors.js';
import { failpoint } from './failpoint.js';
import type { ProcessIdentity } from './process-identity.js';
import { isRunning, thisProcess } from './process-identity.js';

const LOCK_NAME = /^lock\.([1-9][0-9]{0,14})$/;
const RELEASED = 'released\n';
/** Competitors that may overtake this one before it gives up; each overtaking means that somebody else made progress. */
const ATTEMPTS = 100;

export interface StateLock {
  readonly directory: string;
  /** Lets the next process in; the end of this process, however it comes, does the same. */
  release(): Promise<void>;
}

/** Takes `directory` (created when missing) for this process, or refuses with system/state-in-use. */
export async function lockStateDirectory(directory: string): Promise<StateLock> {
  await makeDirectory(directory);
  const self = thisProcess();
  const draft = join(directory, `lock.draft.${String(self.pid)}.${String(process.hrtime.bigint())}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(self) + '\n');
      // An empty lock file after a power cut would ask for a person.
      await file.sync();
    } finally {
      await file.close();
    }
    failpoint('system.before-lock');
    const number = take(directory, draft);
    failpoint('system.after-lock');
    return { directory, release: () => release(directory, number) };
  } catch (cause) {
    throw fileError('locking', directory, cause);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

function take(directory: string, draft: string): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const highest = Math.max(0, ...numbers(directory));
    if (highest > 0) refuseIfHeld(directory, highest);
    const mine = highest + 1;
    try {
      linkSync(draft, path(directory, mine));
    } catch (cause) {
      if (errnoOf(cause) === 'EEXIST') continue;
      throw cause;
    }
    const now = numbers(directory);
    if (now.some((number) => number > mine)) {
      // Others passed `mine` and cleared it away before it was taken here: it is worth nothing.
      unlinkSync(path(directory, mine));
      continue;
    }
    for (const number of now) if (number < mine) removeQuietly(path(directory, number));
    return mine;
  }
  throw new SystemError('system/state-in-use', `${directory} was taken by others ${String(ATTEMPTS)} times in a row`);
}

function refuseIfHeld(directory: string, number: number): void {
  const file = path(directory, number);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    // Surpassed and cleared away meanwhile: the next look at the folder decides.
    if (errnoOf(cause) === 'ENOENT') return;
    throw cause;
  }
  if (text === RELEASED) return;
  const holder = parse(text);
  if (holder === undefined)
    throw new SystemError('system/lock-damaged', `${file} does not say who holds the folder`, {
      remedy: `Make sure that no process uses ${directory}, then delete ${file}.`,
    });
  const self = thisProcess();
  if (holder.host !== self.host)
    throw new SystemError('system/state-held-elsewhere', `${directory} was last held on ${holder.host}`, {
      remedy: `Make sure that the process there has ended, then delete ${file}.`,
    });
  if (isRunning(holder))
    throw new SystemError('system/state-in-use', `${directory} is held by process ${String(holder.pid)}`, {
      remedy: `Stop process ${String(holder.pid)} first.`,
    });
}

async function release(directory: string, number: number): Promise<void> {
  await writeFileDurably(path(directory, number), utf8(RELEASED), { mode: 0o600, what: 'lock' });
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    // Any object may be read by name; every field is checked below.
    const { pid, started, host } = value as Readonly<Record<string, unknown>>;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
    return typeof started === 'string' && typeof host === 'string' ? { pid, started, host } : undefined;
  } catch {
    return undefined;
  }
}

function numbers(directory: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync(directory)) {
    const match = LOCK_NAME.exec(name);
    if (match !== null) found.push(Number(match[1]));
  }
  return found;
}

function path(directory: string, number: number): string {
  return join(directory, `lock.${String(number)}`);
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Another process cleared it away first.
  }
}
