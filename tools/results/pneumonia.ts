// PneumoniaMNIST over six silos whose share of sick children runs from a quarter to nearly all: a convolutional network, federated against
// all images in one place, trained about as far.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseNpz } from '../../src/dataset/index.js';
import { createTrainer, type Table } from '../../src/trainer/index.js';
import { defaultLoss, initialParameters } from '../../src/model/index.js';
import { apportion, shuffled } from '../demo/seeded.js';
import { pool, prepareModel, scoreOn, spreadOf, trainAlone, type Score } from './experiment.js';
import { controlsOf, runFederated, type Ground, type Training } from './methods.js';
import type { MethodOutcome, Outcome, Progress, SumCost } from './outcome.js';
import { convolutionalNetwork, SIDE } from './pneumonia-model.js';

export const PNEUMONIA_SEEDS = [1, 2, 3];
/**
 * Rounds of the federation. Momentum starts anew in each, so 20 steps at 0.9 reach 121 times the rate instead of 200, and the mean of six
 * silos moves no farther than one. 120 rounds reach about as far as 12 pooled passes, 1766 steps with momentum that never restarts.
 */
const ROUNDS = 120;
/** Scoring all test images takes as long as a round of training. */
const SCORE_EVERY = 10;
/** Passes of pooled training over all images, and of one silo alone over its own. */
const PASSES = 12;
export const PNEUMONIA_FILE = 'pneumoniamnist_reassembled.npz';

/** Parts of the healthy and of the sick that each silo has, in hundredths. */
const HEALTHY = [35, 25, 16, 12, 8, 4];
const SICK = [4, 10, 14, 20, 24, 28];

const optimiser = { kind: 'sgd', learningRate: 0.02, momentum: 0.9 } as const;
const common = { batchSize: 32, localWork: { kind: 'steps', steps: 20 }, clip: 10, optimiser } as const;
interface Method {
  readonly name: string;
  readonly settings: string;
  readonly training: Training;
  /** The one for data like these, which is held to the target. */
  readonly recipe?: true;
}

const METHODS: readonly Method[] = [
  { name: 'FedAvg', settings: '120 rounds of 20 steps, SGD 0.02 with momentum 0.9, batches of 32', training: common },
  {
    name: 'SCAFFOLD',
    settings: 'as FedAvg, control variates in the same sum',
    training: { ...common, method: { kind: 'scaffold' } },
    recipe: true,
  },
];
/** The federated AUC is to be at most this much below the pooled one. */
const GAP = 0.01;

const NOTE =
  'The share of the sick runs from a quarter to nearly all over the silos. ' +
  'Momentum starts anew in each round, so 20 steps of a round reach 121 times the rate instead of 200, and the mean of six silos moves no farther than one of them: ' +
  'the federation needs 120 rounds to come about as far as twelve pooled passes (1766 steps). ' +
  'With labels this uneven the recipe is SCAFFOLD; FedAvg is there for comparison.';

export async function runPneumonia(folder: string, progress: Progress): Promise<Outcome[]> {
  const from = performance.now();
  const { train, test } = await readImages(join(folder, PNEUMONIA_FILE));
  const scores = new Map<string, Score[]>();
  const curves = new Map<string, number[][]>();
  const sumCost: SumCost[] = [];
  let silos: { id: string; train: Table }[] = [];
  for (const seed of PNEUMONIA_SEEDS) {
    const onnx = convolutionalNetwork(seed);
    const model = prepareModel(onnx);
    await using trainer = await createTrainer({ model: onnx, loss: defaultLoss('binary-cross-entropy') });
    const keep = (method: string, score: Score): void => {
      scores.set(method, [...(scores.get(method) ?? []), score]);
      progress(
        `pneumonia, seed ${String(seed)} of ${String(PNEUMONIA_SEEDS.length)}: ${method} AUC ${score.auc.toFixed(3)}`,
      );
    };
    silos = distribute(train, seed);
    const alone = async (table: Table): Promise<Score> => {
      const terms = { optimiser, batchSize: 32, epochs: PASSES, seed };
      return scoreOn(trainer, await trainAlone(trainer, initialParameters(model.model), table, terms), test);
    };
    const mostHealthy = silos[0];
    if (mostHealthy !== undefined) keep(`${mostHealthy.id} alone`, await alone(mostHealthy.train));
    keep('pooled', await alone(pool(silos.map((silo) => silo.train))));
    const ground: Ground = { name: 'pneumonia', model, trainer, silos, test, rounds: ROUNDS, scoreEvery: SCORE_EVERY };
    for (const { name, training } of METHODS) {
      const run = await runFederated(ground, training, seed);
      keep(name, run.score);
      curves.set(name, [...(curves.get(name) ?? []), run.scores.map(({ auc }) => auc)]);
      if (name === 'FedAvg' && seed === PNEUMONIA_SEEDS[0]) sumCost.push(await controlsOf(ground, training, seed, run));
    }
  }
  const pooledAuc = spreadOf((scores.get('pooled') ?? []).map(({ auc }) => auc)).mean;
  return [
    {
      name: 'pneumonia',
      title: 'PneumoniaMNIST: six silos with skewed labels, convolutional network',
      note: NOTE,
      seeds: PNEUMONIA_SEEDS,
      testRecords: test.rows,
      silos: silos.map(({ id, train: table }) => ({
        id,
        records: table.rows,
        positives: table.targets.reduce((a, b) => a + b, 0),
      })),
      methods: [
        outcomeOf('silo-1 alone', '12 passes, the same optimiser', scores),
        ...METHODS.map(({ name, settings, recipe }) =>
          outcomeOf(name, settings, scores, recipe === true ? pooledAuc - GAP : undefined),
        ),
        outcomeOf('pooled', '12 passes over all images in one place, the same optimiser', scores),
      ],
      curves: [...curves].map(([method, runs]) => ({
        method,
        values: (runs[0] ?? []).map((_, round) => runs.reduce((sum, run) => sum + (run[round] ?? 0), 0) / runs.length),
      })),
      curveMetric: 'auc',
      curveEvery: SCORE_EVERY,
      sumCost,
      seconds: (performance.now() - from) / 1000,
    },
  ];
}

function outcomeOf(
  method: string,
  settings: string,
  scores: ReadonlyMap<string, readonly Score[]>,
  least?: number,
): MethodOutcome {
  const found = scores.get(method) ?? [];
  const auc = spreadOf(found.map((score) => score.auc));
  return {
    method,
    settings,
    accuracy: spreadOf(found.map((score) => score.accuracy)),
    auc,
    published: undefined,
    target: least === undefined ? undefined : { metric: 'auc', least, met: auc.mean >= least },
  };
}

async function readImages(path: string): Promise<{ train: Table; test: Table }> {
  const arrays = parseNpz('the PneumoniaMNIST archive', await readFile(path));
  const table = (part: string): Table => {
    const images = arrays.get(`${part}_images`);
    const labels = arrays.get(`${part}_labels`);
    const columns = SIDE * SIDE;
    const rows = labels?.values.length ?? 0;
    if (images === undefined || labels === undefined || images.values.length !== rows * columns)
      throw new Error(`the archive has no ${part} images of ${String(SIDE)} by ${String(SIDE)} with labels`);
    // From 0..255 to about -1..1, which needs no statistics of anybody.
    return { rows, columns, features: images.values.map((pixel) => pixel / 127.5 - 1), targets: labels.values };
  };
  return { train: table('train'), test: table('test') };
}

function distribute(train: Table, seed: number): { id: string; train: Table }[] {
  const of = (label: number): number[] => [...train.targets.keys()].filter((row) => train.targets[row] === label);
  const deal = (rows: readonly number[], parts: readonly number[], at: number): number[][] => {
    const order = shuffled(rows, 10 * seed + at);
    let from = 0;
    return apportion(rows.length, parts).map((part) => order.slice(from, (from += part)));
  };
  const healthy = deal(of(0), HEALTHY, 0);
  const sick = deal(of(1), SICK, 1);
  return healthy.map((rows, i) => ({
    id: `silo-${String(i + 1)}`,
    train: rowsOf(train, [...rows, ...(sick[i] ?? [])]),
  }));
}

function rowsOf({ columns, features, targets }: Table, rows: readonly number[]): Table {
  const chosen = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => {
    chosen.set(features.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { rows: rows.length, columns, features: chosen, targets: Float32Array.from(rows, (row) => targets[row] ?? 0) };
}
