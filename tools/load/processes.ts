// Coordinator and hosts as processes, and what the system knows of them.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Measured } from './probe.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface Measurement extends Measured {
  readonly peakBytes: number;
  readonly descriptors: number;
}

export class Coordinator {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static async start(
    config: string,
    profiles?: string,
  ): Promise<{ coordinator: Coordinator; port: number; startedMs: number }> {
    const from = performance.now();
    const child = fork(here('../../coordinator/main.js'), ['run', '--config', config], {
      execArgv: ['--expose-gc', '--import', here('probe.js'), ...profiling(profiles)],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    if (child.stdout === null) throw new Error('the coordinator has no output');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { listening } = JSON.parse(line) as { listening: number };
    return { coordinator: new Coordinator(child), port: listening, startedMs: performance.now() - from };
  }

  /** After two collections. Peak and descriptors are the system's own count; -1 where it keeps none. */
  async measure(): Promise<Measurement> {
    const answer = once(this.child, 'message') as Promise<[Measured]>;
    this.child.send('measure');
    const [measured] = await answer;
    return { ...measured, peakBytes: peakOf(this.child.pid), descriptors: openFiles(this.child.pid) };
  }
}

/** Of the hosts, only the first is profiled: the others do the same. */
export async function startHosts(
  configs: readonly string[],
  processes: number,
  profiles?: string,
): Promise<ChildProcess[]> {
  const share = Math.ceil(configs.length / processes);
  const hosts: ChildProcess[] = [];
  for (let at = 0; at < configs.length; at += share) {
    const child = fork(here('host.js'), configs.slice(at, at + share), {
      execArgv: at === 0 ? profiling(profiles) : [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    hosts.push(child);
  }
  await Promise.all(hosts.map((host) => once(host, 'message')));
  return hosts;
}

export async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  const alive = children.filter((child) => child.exitCode === null && child.signalCode === null);
  for (const child of alive) child.kill('SIGTERM');
  const late = setTimeout(() => {
    for (const child of alive) child.kill('SIGKILL');
  }, 30_000);
  await Promise.all(alive.map((child) => once(child, 'exit')));
  clearTimeout(late);
}

/** The process writes a processor profile into this folder when it ends. */
function profiling(folder: string | undefined): string[] {
  return folder === undefined ? [] : ['--cpu-prof', '--cpu-prof-interval', '2000', '--cpu-prof-dir', folder];
}

function openFiles(pid: number | undefined): number {
  try {
    return readdirSync(`/proc/${String(pid)}/fd`).length;
  } catch {
    return -1;
  }
}

/** VmHWM: the most this process ever had in memory, in bytes. */
export function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? -1) * 1024;
  } catch {
    return -1;
  }
}
