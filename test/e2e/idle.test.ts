// Both services without a job: small, and without the libraries that only work on records and models wants.

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
}

/** On SIGUSR2 a process says which native libraries it has loaded, and how much memory it has. */
const SAY = `data:text/javascript,process.on('SIGUSR2', () => process.stdout.write(JSON.stringify({
  objects: process.report.getReport().sharedObjects, rss: process.memoryUsage.rss() }) + '\\n'))`;

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
  it('coordinator and agent load neither ONNX Runtime nor DuckDB and stay below 150 MiB', async () => {
    const founded = await found(temporaryFolder(), 3);
    const coordinator = start([built('coordinator/main.ts'), 'run', '--config', founded.at('coordinator.yaml')]);
    const { listening } = JSON.parse(await coordinator.line('{"listening"')) as { listening: number };
    await writeConfigs(founded, listening);
    const agent = start([built('silo-agent/main.ts'), 'run', '--config', founded.at('silo-001.yaml')]);
    // The coordinator sees it when it has started and is connected.
    await waitFor(() => readFileSync(founded.at('logs', 'coordinator.log'), 'utf8').includes('silo.connected'));
    for (const program of [coordinator, agent]) {
      const { objects, rss } = await seen(program);
      // LMDB is native, too: what is not there would be seen.
      expect(objects.some((name) => name.includes('lmdb'))).toBe(true);
      expect(objects.filter((name) => HEAVY.test(name))).toEqual([]);
      expect(rss / MiB).toBeLessThan(150);
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
