// How long the programs take to start without a job, and what they hold while nothing happens.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { found, writeConfigs } from '../load/founding.js';
import { stopAll } from '../load/processes.js';

export interface StartUp {
  readonly coordinatorMs: number;
  readonly agentMs: number;
  /** Resident, a little after the start; -1 where the system does not tell. */
  readonly coordinatorMiB: number;
  readonly agentMiB: number;
  /** Seconds of processor time that each took in the seconds watched. */
  readonly coordinatorIdleCpu: number;
  readonly agentIdleCpu: number;
}

const WATCHED_MS = 3_000;

export async function measureStartUp(): Promise<StartUp> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-bench-'));
  const children: ChildProcess[] = [];
  const start = async (
    program: string,
    config: string,
    sign: RegExp,
  ): Promise<{ child: ChildProcess; ms: number; line: string }> => {
    const from = performance.now();
    const main = fileURLToPath(new URL(`../../${program}/main.js`, import.meta.url));
    const child = spawn(process.execPath, [main, 'run', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const line = await lineWith(child, sign);
    return { child, ms: performance.now() - from, line };
  };
  try {
    const founded = await found(folder, 3);
    const coordinator = await start('coordinator', founded.at('coordinator.yaml'), /listening/);
    const { listening } = JSON.parse(coordinator.line) as { listening: number };
    await writeConfigs(founded, listening, 'standard error');
    const agent = await start('silo-agent', founded.at('silo-001.yaml'), /program\.started/);
    await pause(WATCHED_MS);
    const before = [cpuOf(coordinator.child), cpuOf(agent.child)] as const;
    await pause(WATCHED_MS);
    return {
      coordinatorMs: coordinator.ms,
      agentMs: agent.ms,
      coordinatorMiB: residentMiB(coordinator.child),
      agentMiB: residentMiB(agent.child),
      coordinatorIdleCpu: cpuOf(coordinator.child) - before[0],
      agentIdleCpu: cpuOf(agent.child) - before[1],
    };
  } finally {
    await stopAll(children);
    await rm(folder, { recursive: true, force: true });
  }
}

function lineWith({ stdout, stderr }: ChildProcess, sign: RegExp): Promise<string> {
  return new Promise((resolve) => {
    for (const stream of [stdout, stderr])
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => {
          if (sign.test(line)) resolve(line);
        });
  });
}

function residentMiB({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024);
  } catch {
    return -1;
  }
}

/** Seconds of user and system time so far; a tick is a hundredth on every Linux that Node supports. */
function cpuOf({ pid }: ChildProcess): number {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return -1;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
