// The machine itself: disk, memory, proxy variables that somebody may believe in.

import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import { dirname } from 'node:path';
import { failed, type Finding, ok, warning } from './finding.js';

const MiB = 1024 * 1024;
/** A round of a model of ten million parameters takes about 100 MiB at an agent; below that it may end in the middle of one. */
const DISK_FAILED_MiB = 256;
const DISK_WARNING_MiB = 4096;
const MEMORY_WARNING_MiB = 1024;

/** `folder` need not exist yet: then the nearest one above it counts. */
export async function checkDisk(folder: string): Promise<Finding> {
  const existing = await nearestFolder(folder);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    return failed('disk', `${existing} cannot be written by this account`, `Make the account the owner of ${folder}.`);
  }
  const { bavail, bsize } = await statfs(existing);
  const free = Math.floor((bavail * bsize) / MiB);
  const found = `${String(free)} MiB free for ${folder}`;
  if (free < DISK_FAILED_MiB) return failed('disk', found, 'Free some space: a program that cannot write ends.');
  if (free < DISK_WARNING_MiB)
    return warning('disk', found, 'Plan for more: models and journals of every round are kept for ever.');
  return ok('disk', found);
}

async function nearestFolder(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch {
    return dirname(path) === path ? path : nearestFolder(dirname(path));
  }
}

/** `needBytes`: what the largest job that the configuration allows would take, roughly. */
export function checkMemory(needBytes = 0): Finding {
  const free = Math.floor(Math.min(freemem(), availableMemory()) / MiB);
  const need = Math.max(MEMORY_WARNING_MiB, Math.ceil(needBytes / MiB));
  const found = `${String(free)} MiB available, ${String(availableParallelism())} processors`;
  return free < need
    ? warning(
        'memory',
        found,
        `The largest job that is allowed may take ${String(need)} MiB: add memory, or lower policy.`,
      )
    : ok('memory', found);
}

/** Knows the limit of a container, where Node does. */
function availableMemory(): number {
  const { availableMemory: ask } = process as { availableMemory?: () => number };
  return ask?.() ?? Number.POSITIVE_INFINITY;
}

export function checkEnvironment(configured: boolean, environment: NodeJS.ProcessEnv = process.env): Finding[] {
  const named = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'grpc_proxy'].filter(
    (name) => environment[name],
  );
  const failpoint = environment['VEILSUM_FAILPOINT']
    ? [
        failed(
          'environment',
          'VEILSUM_FAILPOINT is set',
          'Remove it: it kills the program at named points and is for tests alone.',
        ),
      ]
    : [];
  if (named.length === 0 || configured) return failpoint;
  const remedy = 'Put proxy.address into the configuration: the environment’s proxies are not obeyed.';
  return [
    ...failpoint,
    warning('environment', `${named.join(', ')} is set and the configuration names no proxy`, remedy),
  ];
}
