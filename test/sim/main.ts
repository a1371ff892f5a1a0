// The command: many seeds, how fast and with which faults, and for a failure the shortest script that shows it.
//   node dist/tools/sim/main.js --seeds 1000 --first-seed 1 [--silos 3..8] [--minutes 10] [--write DIR]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generate, type Script } from './script.js';
import { failureOf, kindOf, shrink } from './shrink.js';
import { Simulation, type Tally } from './simulation.js';

const EVERY = 100;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function add(to: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, times] of from) to.set(name, (to.get(name) ?? 0) + times);
}

function list(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, times]) => `  ${String(times).padStart(9)}  ${name}`).join('\n');
}

function range(text: string): [number, number] {
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const [lo, hi] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || lo < 3 || hi > 30 || lo > hi) throw new Error(`--silos ${text}: expected LO..HI within 3..30`);
  return [lo, hi];
}

function tellFailure(script: Script, failure: Error, folder: string): void {
  say(`FAILED seed ${script.seed} (${script.silos} silos): ${failure.message}`);
  const small = shrink(script, kindOf(failure));
  const { seed, silos, jobs, rounds, malicious, log, operations } = small;
  say(`shrunk from ${script.operations.length} to ${operations.length} operations:`);
  for (const operation of operations) say(`  ${JSON.stringify(operation)}`);
  say(`it says: ${failureOf(small)?.message ?? 'nothing any more'}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `seed-${seed}.json`);
  writeFileSync(file, `${JSON.stringify({ seed, silos, jobs, rounds, malicious, log, operations }, null, 2)}\n`);
  say(`written to ${file}; it belongs into test/sim/reproduction.test.ts`);
}

/** 1 when a promise was broken. */
export function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '200' },
      'first-seed': { type: 'string', default: '1' },
      silos: { type: 'string', default: '3..8' },
      minutes: { type: 'string', default: '0' },
      write: { type: 'string', default: '.veilsum/sim' },
    },
  });
  const [lo, hi] = range(values.silos);
  const first = Number(values['first-seed']);
  const last = first + Number(values.seeds);
  const begun = performance.now();
  const faults = new Map<string, number>();
  const refusals = new Map<string, number>();
  const sums = { seeds: 0, steps: 0, virtualMs: 0, rounds: 0, abandoned: 0, repeated: 0, acks: 0 };
  let failed = 0;
  const tell = (): void => {
    const seconds = (performance.now() - begun) / 1000;
    say(
      `${sums.seeds} seeds, ${sums.steps} steps, ${sums.rounds} rounds (${sums.repeated} repeated, ${sums.abandoned} abandoned), ` +
        `${sums.acks} acks, ${Math.round(sums.virtualMs / 3_600_000)} h simulated in ${seconds.toFixed(0)} s, ` +
        `${(sums.seeds / seconds).toFixed(1)} seeds/s, ${failed} failed`,
    );
  };
  const count = (tally: Tally): void => {
    sums.seeds++;
    for (const name of ['steps', 'virtualMs', 'rounds', 'abandoned', 'repeated', 'acks'] as const)
      sums[name] += tally[name];
    add(faults, tally.faults);
    add(refusals, tally.refusals);
    if (sums.seeds % EVERY === 0) tell();
  };
  const minutes = Number(values.minutes);
  for (let seed = first; seed < last; seed++) {
    if (minutes > 0 && performance.now() - begun > 60_000 * minutes) break;
    const script = generate(seed, lo, hi);
    try {
      count(new Simulation(script).run());
    } catch (error) {
      failed++;
      tellFailure(script, error instanceof Error ? error : new Error(String(error)), values.write);
    }
  }
  tell();
  say(`faults:\n${list(faults)}`);
  say(`refused messages and directives:\n${list(refusals)}`);
  return failed > 0 ? 1 : 0;
}
