// The command: many seeds, how fast and with which faults, and for a failure the shortest script that shows it.
//   node dist/tools/sim/main.js --seeds 1000 --first-seed 1 [--silos 3..30] [--workers 2] [--minutes 10] [--write DIR]

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Report } from './report.js';
import type { Script } from './script.js';
import type { Asked, Done, Failed } from './worker.js';

/** Nearly all that a seed allocates is gone with it: with room for the young, it is collected seldom and at little cost. */
const YOUNG_MB = 64;
/** Between two lines that say how far it is. */
const TOLD_EVERY_MS = 20_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most))
    throw new Error(`--${name} ${text}: expected a number from ${least} to ${most}`);
  return value;
}

function range(text: string): [number, number] {
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const [lo, hi] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || lo < 3 || hi > 30 || lo > hi) throw new Error(`--silos ${text}: expected LO..HI within 3..30`);
  return [lo, hi];
}

function tellFailure({ script, message, small, says }: Failed, folder: string): void {
  say(`FAILED seed ${script.seed} (${script.silos} silos): ${message}`);
  const { operations, ...about }: Script = small;
  say(`shrunk from ${script.operations.length} to ${operations.length} operations:`);
  for (const operation of operations) say(`  ${JSON.stringify(operation)}`);
  say(`it says: ${says}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `seed-${script.seed}.json`);
  writeFileSync(file, `${JSON.stringify({ ...about, operations }, null, 2)}\n`);
  say(`written to ${file}; it belongs into test/sim/reproduction.test.ts`);
}

/** Asks a thread for one seed after the other, as long as `next` has one. */
async function keepBusy(next: () => Asked | undefined, done: (one: Done) => void): Promise<void> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  try {
    for (let asked = next(); asked !== undefined; asked = next()) {
      // Rejects when the thread fails.
      const answered = once(worker, 'message') as Promise<[Done]>;
      worker.postMessage(asked);
      const [one] = await answered;
      done(one);
    }
  } finally {
    await worker.terminate();
  }
}

/** 1 when a promise was broken. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '200' },
      'first-seed': { type: 'string', default: '1' },
      silos: { type: 'string', default: '3..30' },
      workers: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '0' },
      write: { type: 'string', default: '.veilsum/sim' },
    },
  });
  const [lo, hi] = range(values.silos);
  let seed = numberOf('first-seed', values['first-seed'], 0, 2 ** 31);
  const last = seed + numberOf('seeds', values.seeds, 1, 2 ** 31);
  const workers = numberOf('workers', values.workers, 1, 64);
  const minutes = numberOf('minutes', values.minutes, 0, 100_000);
  const until = minutes > 0 ? performance.now() + 60_000 * minutes : Infinity;
  const report = new Report();
  let told = performance.now();
  const next = (): Asked | undefined =>
    seed < last && performance.now() < until ? { seed: seed++, lo, hi } : undefined;
  const done = (one: Done): void => {
    if (one.kind === 'kept') report.add(one.silos, one.tally);
    else {
      report.failed++;
      tellFailure(one.failed, values.write);
    }
    if (performance.now() - told < TOLD_EVERY_MS) return;
    told = performance.now();
    say(report.line());
  };
  await Promise.all(Array.from({ length: workers }, () => keepBusy(next, done)));
  say(report.text());
  return report.failed > 0 ? 1 : 0;
}
