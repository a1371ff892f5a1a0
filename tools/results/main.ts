// npm run results: trains federations on real data in this process and writes docs/results.md with its charts.

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { drawChart } from './chart.js';
import { runHeart } from './heart.js';
import { runMembership } from './membership.js';
import { runPrivateHeart } from './private-heart.js';
import type { Outcome } from './outcome.js';
import { PNEUMONIA_FILE, runPneumonia } from './pneumonia.js';
import { writeReport } from './report.js';

interface Options {
  readonly data: string;
  readonly only?: 'heart' | 'dp' | 'membership' | 'pneumonia';
  readonly json?: string;
  readonly out?: string;
}

const EXPERIMENTS = [
  { name: 'heart', file: 'processed.cleveland.data', folder: 'heart', run: runHeart },
  { name: 'dp', file: 'processed.cleveland.data', folder: 'heart', run: runPrivateHeart },
  { name: 'pneumonia', file: PNEUMONIA_FILE, folder: 'pneumoniamnist', run: runPneumonia },
] as const;

const program = new Command('results')
  .description('Trains federations on real data in this process and writes docs/results.md; some minutes.')
  .option('--data <folder>', 'where heart/ and pneumoniamnist/ are', process.env['VEILSUM_DATA'] ?? '../shared/data')
  .addOption(
    new Option('--only <experiment>', 'one of them; results.md is left alone, unless --out says where it goes').choices(
      ['heart', 'dp', 'membership', 'pneumonia'],
    ),
  )
  .option('--json <file>', 'write every figure as JSON')
  .option('--out <folder>', 'folder of results.md and images/; docs unless given')
  .action(async (options: Options) => {
    await main(options);
  });

async function main({ data, only, json, out }: Options): Promise<void> {
  if (only === 'membership') {
    // On the example's own data, for docs/privacy.md and its plot.
    const attacks = await runMembership(out ?? 'docs', (line) => {
      console.log(`  ${line}`);
    });
    if (json !== undefined) await writeFile(json, `${JSON.stringify(attacks, null, 2)}\n`);
    return;
  }
  const chosen = EXPERIMENTS.filter(({ name }) => only === undefined || only === name);
  const absent = chosen.map(({ folder, file }) => resolve(data, folder, file)).filter((path) => !existsSync(path));
  if (absent.length > 0) {
    console.error(`results: not found: ${absent.join(', ')}.`);
    console.error(
      'Name the folder that holds heart/ and pneumoniamnist/ by --data or VEILSUM_DATA. Their sources: tools/results/DATA.md.',
    );
    process.exitCode = 2;
    return;
  }
  const outcomes: Outcome[] = [];
  for (const { name, folder, run } of chosen) {
    console.log(`${name} ...`);
    const found = await run(resolve(data, folder), (line) => {
      console.log(`  ${line}`);
    });
    outcomes.push(...found);
  }
  const machine = { cpus: availableParallelism(), node: process.versions.node };
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine, outcomes }, null, 2)}\n`);
  if (only === undefined || out !== undefined) await report(outcomes, machine, out ?? 'docs');
  summarise(outcomes);
}

async function report(
  outcomes: readonly Outcome[],
  machine: { cpus: number; node: string },
  out: string,
): Promise<void> {
  await mkdir(join(out, 'images'), { recursive: true });
  for (const { name, title, curves, curveEvery, curveMetric, methods } of outcomes) {
    const pooled = methods.find(({ method }) => method === 'pooled');
    const reference = pooled === undefined ? {} : { reference: { name: 'pooled', value: pooled[curveMetric].mean } };
    const axis = curveMetric === 'auc' ? 'AUC on the test records' : 'accuracy on the test records';
    await writeFile(
      join(out, 'images', `results-${name}.svg`),
      drawChart({ title, axis, every: curveEvery, curves, ...reference }),
    );
  }
  const path = join(out, 'results.md');
  const before = existsSync(path) ? await readFile(path, 'utf8') : '';
  const after = writeReport(outcomes, machine);
  await writeFile(path, after);
  console.log(`${path}: ${before === after ? 'as before' : 'written'}`);
}

function summarise(outcomes: readonly Outcome[]): void {
  for (const { name, methods, seconds } of outcomes) {
    console.log(`\n${name} (${seconds.toFixed(0)} s)`);
    for (const { method, accuracy, auc, target } of methods) {
      const goal =
        target === undefined ? '' : `  ${target.metric} >= ${target.least.toFixed(3)} ${target.met ? 'met' : 'MISSED'}`;
      console.log(
        `  ${method.padEnd(20)} accuracy ${accuracy.mean.toFixed(4)} ± ${accuracy.deviation.toFixed(4)}  AUC ${auc.mean.toFixed(4)} ± ${auc.deviation.toFixed(4)}${goal}`,
      );
    }
  }
  if (outcomes.some(({ methods }) => methods.some(({ target }) => target?.met === false))) process.exitCode = 1;
}

await program.parseAsync();
