// The records of the demo: split over hospitals, written where each agent will read its own, and the test part that nobody trains on.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { columnIndex, readCsv, type CsvTable } from './csv.js';
import { HEART_TARGET, prepareHeart, writeHeart } from './heart.js';
import type { DemoOptions } from './options.js';
import { splitRecords, writeSplit } from './split.js';

export interface Scenario {
  readonly title: string;
  readonly dataSet: string;
  readonly target: string;
  readonly silos: readonly ScenarioSilo[];
  /** Records that nobody trains on. */
  readonly test: CsvTable;
  readonly statisticsJob: JobText;
  readonly trainJob: JobText;
  readonly modelFile: string;
}

export interface ScenarioSilo {
  readonly id: string;
  readonly csv: string;
  readonly table: CsvTable;
}

export interface JobText {
  readonly id: string;
  readonly yaml: string;
}

const EXAMPLES = resolve('examples');

export async function prepareRecords(options: DemoOptions, folder: string): Promise<Scenario> {
  return options.data === undefined ? breastCancer(options, folder) : heart(options, options.data, folder);
}

async function breastCancer({ silos, rounds, seed }: DemoOptions, folder: string): Promise<Scenario> {
  const target = 'malignant';
  const split = splitRecords(await readCsv(join(EXAMPLES, 'data', 'wdbc.csv')), { silos, seed, target });
  const paths = await writeSplit(folder, split);
  const ids = split.silos.map(({ id }) => id);
  const smallest = Math.min(...split.silos.map(({ table }) => table.rows.length));
  return {
    title: `Wisconsin diagnostic breast cancer, ${String(silos)} hospitals of unequal size and case mix`,
    dataSet: 'wdbc',
    target,
    silos: split.silos.map(({ id, table }) => ({ id, table, csv: paths.get(id) ?? '' })),
    test: split.test,
    statisticsJob: await jobFile('wdbc-statistics', ids, undefined, smallest),
    trainJob: await jobFile('wdbc-train', ids, rounds, smallest),
    modelFile: join(EXAMPLES, 'models', 'wdbc-mlp.onnx'),
  };
}

async function heart({ rounds, seed }: DemoOptions, data: string, folder: string): Promise<Scenario> {
  const centres = await prepareHeart(resolve(data), seed);
  const paths = await writeHeart(folder, centres);
  const ids = centres.map(({ id }) => id);
  const smallest = Math.min(...centres.map(({ train }) => train.rows.length));
  const [first] = centres;
  if (first === undefined) throw new Error('no heart centre was found');
  return {
    title: 'UCI heart disease, four real hospitals (Cleveland, Hungary, Switzerland, Long Beach)',
    dataSet: 'heart',
    target: HEART_TARGET,
    silos: centres.map(({ id, train }) => ({ id, table: train, csv: paths.get(id) ?? '' })),
    test: { header: first.test.header, rows: centres.flatMap(({ test }) => test.rows) },
    statisticsJob: await jobFile('heart-statistics', ids, undefined, smallest),
    trainJob: await jobFile('heart-train', ids, rounds, smallest),
    modelFile: join(EXAMPLES, 'models', 'heart-logreg.onnx'),
  };
}

/** An example job file for these silos. Waits for absent silos are short: here everybody is on one machine. */
async function jobFile(
  id: string,
  silos: readonly string[],
  rounds: number | undefined,
  smallest: number,
): Promise<JobText> {
  let yaml = await readFile(join(EXAMPLES, 'jobs', `${id}.yaml`), 'utf8');
  yaml = replaceOnce(yaml, /^silos: .*$/m, `silos: [${silos.join(', ')}]`);
  if (rounds !== undefined) yaml = replaceOnce(yaml, /^rounds: .*$/m, `rounds: ${String(rounds)}`);
  // Many hospitals make small ones; a job that asks for more records than they have would go on without them.
  yaml = yaml.replace(
    /^ {2}minRows: (\d+)$/m,
    (_, rows: string) => `  minRows: ${String(Math.min(Number(rows), smallest))}`,
  );
  if (!/^minCohort:/m.test(yaml)) yaml = `minCohort: ${String(Math.min(silos.length, 5))}\n${yaml}`;
  yaml = yaml.replace(
    /^ {2}file: .*$/m,
    `  file: ${join(EXAMPLES, 'models', id.startsWith('heart') ? 'heart-logreg.onnx' : 'wdbc-mlp.onnx')}`,
  );
  return { id, yaml: `${yaml}\ntimeouts: { absentAfterMs: 1500, graceMs: 500 }\n` };
}

function replaceOnce(text: string, pattern: RegExp, by: string): string {
  if (!pattern.test(text)) throw new Error(`an example job file has no line ${String(pattern)}`);
  return text.replace(pattern, by);
}

/** Features in the order of the table's columns without the target, and targets. */
export function toTable(
  table: CsvTable,
  target: string,
): { rows: number; columns: number; features: Float32Array; targets: Float32Array } {
  const at = columnIndex(table, target);
  const columns = table.header.length - 1;
  const features = new Float32Array(table.rows.length * columns);
  const targets = new Float32Array(table.rows.length);
  table.rows.forEach((row, r) => {
    let column = 0;
    row.forEach((cell, c) => {
      if (c === at) targets[r] = Number(cell);
      else features[r * columns + column++] = Number(cell);
    });
  });
  return { rows: table.rows.length, columns, features, targets };
}
