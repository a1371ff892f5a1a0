// Which process is which: a process id alone is reused by the kernel, its start time with the machine's boot is not.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from './errors.js';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal only for the same process: on Linux the boot and the clock ticks since then, elsewhere what ps prints. */
  readonly started: string;
  /** Process ids mean nothing to another machine or container. */
  readonly host: string;
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? 'unknown', host: hostname() };
}

/** Whether a process of this host still runs. A process that ended and has not been waited for (a zombie) does not run. */
export function isRunning(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (cause) {
    // EPERM: it runs under another account. Anything else means that there is no such process.
    if (errnoOf(cause) !== 'EPERM') return false;
  }
  return startOf(identity.pid) === identity.started;
}

function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
}

function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    // proc(5): the name in parentheses may hold anything, so fields are counted from the last one; field 3 is the state, 22 the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const ticks = fields[19];
    if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

function psStart(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}
