// Both services without a job: small, without the libraries that only work on records and models wants, without threads for vectors, and
// with nothing that looks again and again whether there is something to do.

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { found, writeConfigs } from '../../tools/load/founding.js';
import { built, builtUrl, startNode, type Running } from '../support/built-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const LOOK_MS = 50;

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

const MiB = 1024 ** 2;
const HEAVY = /onnxruntime|duckdb/;

interface Seen {
  readonly objects: readonly string[];
  readonly rss: number;
  /** Milliseconds of everything that is done at intervals. */
  readonly periods: readonly number[];
  readonly threads: number;
}

/**
 * On SIGUSR2 a process says which native libraries it has loaded, how much memory it has, how often per interval of its own it does
 * something, and how many threads it has started for work.
 */
const SAY =
  `data:text/javascript,import workers from 'node:worker_threads'; import { syncBuiltinESMExports } from 'node:module';
  const periods = new Map(); const [start, stop] = [setInterval, clearInterval]; let threads = 0;
  globalThis.setInterval = (f, ms, ...more) => { const one = start(f, ms, ...more); periods.set(one, ms); return one; };
  globalThis.clearInterval = (one) => { periods.delete(one); stop(one); };
  workers.Worker = class extends workers.Worker { constructor(...all) { super(...all); threads++; } }; syncBuiltinESMExports();
  process.on('SIGUSR2', () => process.stdout.write(JSON.stringify({ objects: process.report.getReport().sharedObjects,
    rss: process.memoryUsage.rss(), periods: [...periods.values()], threads }) + '\\n'))`.replaceAll('\n', ' ');
/** Milliseconds: heartbeats of streams, and looks at whether a certificate or list of revoked ones was replaced. What came sooner would be a poll. */
const SELDOM_MS = 5_000;

const running: Running[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});

function start(args: readonly string[]): Running {
  const program = startNode(['--import', SAY, ...args]);
  running.push(program);
  return program;
}

async function seen(program: Running): Promise<Seen> {
  program.child.kill('SIGUSR2');
  return JSON.parse(await program.line('{"objects"')) as Seen;
}

describe('without a job', () => {
  it('coordinator and agent load neither ONNX Runtime nor DuckDB, stay below 150 MiB, start no threads and poll nothing', async () => {
    const founded = await found(temporaryFolder(), 3);
    const coordinator = start([built('coordinator/main.ts'), 'run', '--config', founded.at('coordinator.yaml')]);
    const { listening } = JSON.parse(await coordinator.line('{"listening"')) as { listening: number };
    await writeConfigs(founded, listening);
    const agent = start([built('silo-agent/main.ts'), 'run', '--config', founded.at('silo-001.yaml')]);
    // The coordinator sees it when it has started and is connected.
    await waitFor(() => readFileSync(founded.at('logs', 'coordinator.log'), 'utf8').includes('silo.connected'));
    for (const program of [coordinator, agent]) {
      const { objects, rss, periods, threads } = await seen(program);
      // LMDB is native, too: what is not there would be seen.
      expect(objects.some((name) => name.includes('lmdb'))).toBe(true);
      expect(objects.filter((name) => HEAVY.test(name))).toEqual([]);
      expect(rss / MiB).toBeLessThan(150);
      expect(threads).toBe(0);
      expect(periods.filter((ms) => ms < SELDOM_MS)).toEqual([]);
      // What is done at intervals at all would be seen: this is not empty.
      expect(periods.length).toBeGreaterThan(0);
    }
  });

  it('would be seen to have loaded them', async () => {
    const script = `await (await import(${JSON.stringify(builtUrl('src/trainer/index.ts'))})).loadRuntime();
      console.log('loaded'); setInterval(() => 0, 1000)`;
    const program = start(['--input-type=module', '-e', script]);
    await program.line('loaded');
    expect((await seen(program)).objects.some((name) => HEAVY.test(name))).toBe(true);
  });
});
