// Fed-Heart-Disease: four real hospitals, a logistic regression, records prepared as FLamby does (tools/demo/heart.ts), features
// standardised by the training parts of all together. Twice: on the one split that FLamby's figures are for, where seeds decide the order of records,
// and with a stratified split of its own for each seed, which says how much a split decides.

import { exampleModels } from '../make-example-models.js';
import { HEART_TARGET, prepareHeart, type HeartCentre } from '../demo/heart.js';
import type { CsvTable } from '../demo/csv.js';
import { toTable } from '../demo/records.js';
import { createTrainer, type Table } from '../../src/trainer/index.js';
import { defaultLoss, initialParameters } from '../../src/model/index.js';
import { publishedSplit } from './published-split.js';
import { pool, prepareModel, scoreOn, spreadOf, trainAlone, type Score } from './experiment.js';
import { controlsOf, runFederated, type Ground, type Training } from './methods.js';
import type { MethodOutcome, Outcome, Progress, SumCost } from './outcome.js';

export const HEART_SEEDS = [1, 2, 3, 4, 5];
const ROUNDS = 15;

const descent = (learningRate: number) => ({ kind: 'sgd', learningRate, momentum: 0 }) as const;
const common = { batchSize: 4, localWork: { kind: 'steps', steps: 100 }, clip: 4 } as const;

interface Method {
  readonly name: string;
  readonly settings: string;
  readonly training: Training;
  readonly published?: string;
  readonly least?: number;
}

const METHODS: readonly Method[] = [
  {
    name: 'FedAvg',
    settings: '15 rounds of 100 steps, SGD 0.01',
    training: { ...common, optimiser: descent(0.01) },
    published: '0.7480 ± 0.0240',
    least: 0.748,
  },
  {
    name: 'FedProx',
    settings: 'as FedAvg, mu 0.1',
    training: { ...common, optimiser: descent(0.01), method: { kind: 'fed-prox', mu: 0.1 } },
  },
  {
    name: 'SCAFFOLD',
    settings: 'as FedAvg, control variates in the same sum',
    training: { ...common, optimiser: descent(0.01), method: { kind: 'scaffold' } },
  },
  {
    name: 'FedAdam',
    settings: 'as FedAvg with SGD 0.001, server step 0.1, tau 0.001',
    training: {
      ...common,
      optimiser: descent(0.001),
      server: { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 },
    },
    published: '0.7787',
    least: 0.778,
  },
];

const PUBLISHED_LOCAL = ['0.784', '0.727', '0.483', '0.611'];
/** FLamby's own local and pooled training: Adam, 50 passes, batches of 4. */
const ALONE = {
  optimiser: { kind: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  batchSize: 4,
  epochs: 50,
} as const;

export async function runHeart(folder: string, progress: Progress): Promise<Outcome[]> {
  return [await runOn('heart', folder, progress), await runOn('heart-splits', folder, progress)];
}

/** The rows in the order in which FLamby's split draws them. */
export function splitAsPublished({ header, rows }: CsvTable): { train: CsvTable; test: CsvTable } {
  const { train, test } = publishedSplit(rows.map((row) => (row.at(-1) === '1' ? 1 : 0)));
  const part = (positions: readonly number[]): CsvTable => ({ header, rows: positions.map((at) => rows[at] ?? []) });
  return { train: part(train), test: part(test) };
}

async function runOn(name: 'heart' | 'heart-splits', folder: string, progress: Progress): Promise<Outcome> {
  const published = name === 'heart';
  const from = performance.now();
  const onnx = exampleModels().get('heart-logreg.onnx');
  if (onnx === undefined) throw new Error('the example model of the heart data is missing');
  const model = prepareModel(onnx);
  await using trainer = await createTrainer({ model: onnx, loss: defaultLoss('binary-cross-entropy') });
  const scores = new Map<string, Score[]>();
  const curves = new Map<string, number[][]>();
  const sumCost: SumCost[] = [];
  let centres: Centre[] = [];
  let testRecords = 0;
  const keep = (method: string, score: Score): void => {
    scores.set(method, [...(scores.get(method) ?? []), score]);
  };
  for (const seed of HEART_SEEDS) {
    centres = standardised(await prepareHeart(folder, seed, published ? splitAsPublished : undefined));
    const test = pool(centres.map((centre) => centre.test));
    testRecords = test.rows;
    const start = initialParameters(model.model);
    const alone = async (table: Table): Promise<Score> =>
      scoreOn(trainer, await trainAlone(trainer, start, table, { ...ALONE, seed }), test);
    for (const { id, train } of centres) keep(`${id} alone`, await alone(train));
    keep('pooled', await alone(pool(centres.map(({ train }) => train))));
    const ground: Ground = { name, model, trainer, silos: centres, test, rounds: ROUNDS, scoreEvery: 1 };
    for (const { name: method, training } of METHODS) {
      const run = await runFederated(ground, training, seed);
      keep(method, run.score);
      curves.set(method, [...(curves.get(method) ?? []), run.scores.map(({ accuracy }) => accuracy)]);
      if (method === 'FedAvg' && published) sumCost.push(await controlsOf(ground, training, seed, run));
    }
    const done = METHODS.map(
      ({ name: method }) => `${method} ${(scores.get(method)?.at(-1)?.accuracy ?? 0).toFixed(3)}`,
    );
    progress(`${name}, seed ${String(seed)} of ${String(HEART_SEEDS.length)}: ${done.join(', ')}`);
  }
  return {
    name,
    title: published
      ? 'Fed-Heart-Disease, the published split: four real hospitals, logistic regression'
      : 'Fed-Heart-Disease, a split of its own for each seed',
    note:
      'Features are standardised by mean and deviation over all training records, as a statistics job gives them. FLamby standardises the ' +
      'training records of each centre by itself, which is why its local models do worse on the records of the others.',
    seeds: HEART_SEEDS,
    testRecords,
    silos: centres.map(({ id, train }) => ({ id, records: train.rows, positives: count(train.targets) })),
    methods: [
      ...centres.map(({ id }, i) =>
        outcomeOf(`${id} alone`, 'Adam 0.001, 50 passes', scores, published ? PUBLISHED_LOCAL[i] : undefined),
      ),
      ...METHODS.map((method) =>
        published
          ? outcomeOf(method.name, method.settings, scores, method.published, method.least)
          : outcomeOf(method.name, method.settings, scores),
      ),
      outcomeOf(
        'pooled',
        'Adam 0.001, 50 passes over all records in one place',
        scores,
        published ? '0.7953 ± 0.0025' : undefined,
      ),
    ],
    curves: [...curves].map(([method, runs]) => ({ method, values: meanCurve(runs) })),
    curveMetric: 'accuracy',
    curveEvery: 1,
    sumCost,
    seconds: (performance.now() - from) / 1000,
  };
}

export interface Centre {
  readonly id: string;
  readonly train: Table;
  readonly test: Table;
}

/**
 * Features less the mean over the training parts of all centres, over their deviation: what a statistics job gives, and what FLamby does to
 * its pooled test records. (Its federated training standardises each centre by itself.)
 */
export function standardised(centres: readonly HeartCentre[]): Centre[] {
  const tables = centres.map(({ id, train, test }) => ({
    id,
    train: toTable(train, HEART_TARGET),
    test: toTable(test, HEART_TARGET),
  }));
  const { rows, columns, features } = pool(tables.map(({ train }) => train));
  const moments = Array.from({ length: columns }, (_, column) => {
    const values = Array.from({ length: rows }, (__, row) => features[row * columns + column] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
    return { mean, deviation };
  });
  const scale = (table: Table): Table => ({
    ...table,
    features: table.features.map((value, i) => {
      const { mean, deviation } = moments[i % columns] ?? { mean: 0, deviation: 0 };
      return deviation > 0 ? (value - mean) / deviation : 0;
    }),
  });
  return tables.map(({ id, train, test }) => ({ id, train: scale(train), test: scale(test) }));
}

export function outcomeOf(
  method: string,
  settings: string,
  scores: ReadonlyMap<string, readonly Score[]>,
  published?: string,
  least?: number,
): MethodOutcome {
  const found = scores.get(method) ?? [];
  const accuracy = spreadOf(found.map((score) => score.accuracy));
  return {
    method,
    settings,
    accuracy,
    auc: spreadOf(found.map((score) => score.auc)),
    published,
    target: least === undefined ? undefined : { metric: 'accuracy', least, met: accuracy.mean >= least },
  };
}

export function meanCurve(runs: readonly (readonly number[])[]): number[] {
  return (runs[0] ?? []).map((_, round) => runs.reduce((sum, run) => sum + (run[round] ?? 0), 0) / runs.length);
}

export function count(targets: Float32Array): number {
  return targets.reduce((sum, target) => sum + target, 0);
}
