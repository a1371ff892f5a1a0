// docs/results.md from outcomes.

import type { Spread } from './experiment.js';
import type { MethodOutcome, Outcome } from './outcome.js';
import { worst } from './sum-error.js';

export interface Machine {
  readonly cpus: number;
  readonly node: string;
}

export function writeReport(outcomes: readonly Outcome[], machine: Machine): string {
  return [
    '# Results on real data',
    '',
    '<!-- Written by `npm run results`. Do not edit. -->',
    '',
    'Every silo here learns by the function that the agent calls, its change is clipped, weighted and rounded to integers by the code that',
    'feeds the masks, the integers are added modulo 2^32, and the sum is judged and applied by the code that every silo runs on an opened sum.',
    'Masks are left out: they cancel exactly, and `test/e2e` runs whole rounds with them. The data are not part of this repository;',
    '`npm run results -- --help` says where they are looked for. Means and standard deviations (n − 1) over the seeds; the same seed',
    'gives the same figures. `npm run results` takes about twelve minutes and writes this page; `--only heart`, `--only dp` or `--only pneumonia` runs',
    'one part, prints its figures and leaves the page alone unless `--out FOLDER` says where it goes.',
    `Machine class: ${String(machine.cpus)} cores, Node.js ${machine.node}, one thread for each training.`,
    ...outcomes.flatMap(section),
    ...absentLines(outcomes),
    '',
    '## The JSON file',
    '',
    '`--json FILE` writes `{ machine, outcomes }`; an outcome has the fields of `tools/results/outcome.ts`: name, seeds, silos, methods with',
    'accuracy and AUC (mean, deviation, one value for each seed), targets, curves and sumCost.',
    '',
  ].join('\n');
}

/** A file that leaves something out says so. */
function absentLines(outcomes: readonly Outcome[]): string[] {
  const absent = (['heart', 'dp', 'pneumonia'] as const).filter(
    (name) => !outcomes.some((outcome) => outcome.name === name),
  );
  return absent.map(
    (name) => `\nNot in this file: ${name}. \`npm run results -- --only ${name} --json FILE\` runs it.`,
  );
}

function section(outcome: Outcome): string[] {
  const { title, note, name, methods, seeds, silos, testRecords, seconds, curveMetric } = outcome;
  const published = methods.some((method) => method.published !== undefined);
  const head = ['method', 'accuracy', 'AUC', ...(published ? ['published accuracy'] : []), 'target', 'trained with'];
  return [
    '',
    `## ${title}`,
    '',
    note,
    '',
    `Silos: ${silos.map(({ id, records, positives }) => `${id} ${String(records)} records (${String(positives)} positive)`).join(', ')}.`,
    `${String(testRecords)} test records of all silos together; seeds ${seeds.join(', ')}; ${seconds.toFixed(0)} s.`,
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...methods.map((method) => `| ${rowOf(method, published).join(' | ')} |`),
    '',
    `![${curveMetric} over the rounds, mean over the seeds](images/results-${name}.svg)`,
    '',
    ...costLines(outcome),
  ];
}

function rowOf({ method, settings, accuracy, auc, published, target }: MethodOutcome, column: boolean): string[] {
  const goal =
    target === undefined ? '' : `${target.metric} ≥ ${target.least.toFixed(3)}: ${target.met ? 'met' : 'MISSED'}`;
  return [method, spreadWord(accuracy), spreadWord(auc), ...(column ? [published ?? ''] : []), goal, settings];
}

function spreadWord({ mean, deviation }: Spread): string {
  return `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`;
}

function costLines({ sumCost, testRecords }: Outcome): string[] {
  if (sumCost.length === 0) return [];
  const largest = (pick: (cost: Outcome['sumCost'][number]) => number): number => Math.max(...sumCost.map(pick));
  const parameter = largest((cost) => cost.largestDifference);
  const records = Math.round(largest((cost) => cost.accuracyDifference) * testRecords);
  const each = worst(sumCost.map((cost) => cost.each));
  const rounds = sumCost.reduce((sum, cost) => sum + cost.rounds, 0);
  return [
    `**What the integer sum costs.** In each of the ${String(rounds)} rounds of FedAvg (seeds ${sumCost.map(({ seed }) => seed).join(', ')}) every coordinate of the opened integers was held`,
    `against the float64 sum of the very same inputs. Rounding alone allows ${String(each.unitsAllowed)} units of ${each.unit.toExponential(1)}, one for each silo; the`,
    `largest distance of any coordinate in any round was ${each.units.toFixed(2)} units (a coordinate beyond what is allowed would have ended the run), and the mean that moves the`,
    `model was off by at most ${each.mean.toExponential(1)}. The sum does nothing else to a model.`,
    '',
    `What training makes of such a difference, round after round, is its own affair: run again with means in float64 throughout, the final models`,
    `differ by at most ${parameter.toExponential(1)} in any parameter, the accuracies by ${String(records)} of ${String(testRecords)} test records, the AUC by at most`,
    `${largest((cost) => cost.aucDifference).toExponential(1)}. Two float64 federations, with no integer anywhere, of which one parameter is moved once, at the start, as far`,
    `as a sum was ever off, end ${largest((cost) => cost.nudgedDifference).toExponential(1)} apart.`,
  ];
}
