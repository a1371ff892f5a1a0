// Fed-Heart-Disease with DP-SGD in every hospital, against FLamby's DP-FedAvg: the same four centres, the same split, delta 1e-3, the unit
// one record, epsilon for all rounds together in the smallest hospital, which has 30 training records.

import { exampleModels } from '../make-example-models.js';
import { prepareHeart } from '../demo/heart.js';
import { createTrainer } from '../../src/trainer/index.js';
import { defaultLoss } from '../../src/model/index.js';
import { count, HEART_SEEDS, meanCurve, outcomeOf, splitAsPublished, standardised, type Centre } from './heart.js';
import { pool, prepareModel, type Score } from './experiment.js';
import { runFederated, type Ground, type Training } from './methods.js';
import type { Outcome, Progress } from './outcome.js';

const DELTA = 1e-3;
const ROUNDS = 10;
const PUBLISHED = [
  { epsilon: 1, accuracy: '0.702' },
  { epsilon: 5, accuracy: '0.700' },
  { epsilon: 10, accuracy: '0.698' },
] as const;
const STEPS = 5;
const BATCH = 10;

/** The first that were tried, the same for every epsilon: nothing was tuned on private records. */
const training: Training = {
  batchSize: BATCH,
  localWork: { kind: 'steps', steps: STEPS },
  clip: 4,
  optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0 },
};
const settings = `${String(ROUNDS)} rounds of ${String(STEPS)} steps, ${String(BATCH)} records expected, SGD 0.1, gradients cut to 1`;

interface Method {
  readonly name: string;
  readonly training: Training;
  readonly published: string;
}

const METHODS: readonly Method[] = [
  { name: 'FedAvg, no noise', training, published: '0.7125' },
  ...PUBLISHED.map(({ epsilon, accuracy }) => ({
    name: `DP-SGD, epsilon ${String(epsilon)}`,
    training: { ...training, unitPrivacy: { clip: 1, epsilon, delta: DELTA } },
    published: accuracy,
  })),
];

export async function runPrivateHeart(folder: string, progress: Progress): Promise<Outcome[]> {
  const from = performance.now();
  const onnx = exampleModels().get('heart-logreg.onnx');
  if (onnx === undefined) throw new Error('the example model of the heart data is missing');
  const model = prepareModel(onnx);
  await using trainer = await createTrainer({ model: onnx, loss: defaultLoss('binary-cross-entropy') });
  const scores = new Map<string, Score[]>();
  const curves = new Map<string, number[][]>();
  let centres: Centre[] = [];
  let testRecords = 0;
  for (const seed of HEART_SEEDS) {
    centres = standardised(await prepareHeart(folder, seed, splitAsPublished));
    const test = pool(centres.map((centre) => centre.test));
    testRecords = test.rows;
    const ground: Ground = { name: 'dp', model, trainer, silos: centres, test, rounds: ROUNDS, scoreEvery: 1 };
    const line: string[] = [];
    for (const { name, training: terms } of METHODS) {
      const run = await runFederated(ground, terms, seed);
      scores.set(name, [...(scores.get(name) ?? []), run.score]);
      curves.set(name, [...(curves.get(name) ?? []), run.scores.map(({ accuracy }) => accuracy)]);
      line.push(`${name} ${run.score.accuracy.toFixed(3)}`);
    }
    progress(`heart with DP-SGD, seed ${String(seed)} of ${String(HEART_SEEDS.length)}: ${line.join(', ')}`);
  }
  return [
    {
      name: 'dp',
      title: 'Fed-Heart-Disease with differential privacy for every record',
      note:
        'Each hospital trains by DP-SGD (docs/privacy.md); epsilon holds at delta 1e-3 for all rounds together in the smallest hospital, whose ' +
        '30 training records are sampled most, and is smaller in the others. Published: FLamby’s DP-FedAvg with the same delta (Ogier du ' +
        'Terrail et al. 2022), 0.7125 without noise. Features are standardised by the records of all hospitals without noise, which neither ' +
        'epsilon counts.',
      seeds: HEART_SEEDS,
      testRecords,
      silos: centres.map(({ id, train }) => ({ id, records: train.rows, positives: count(train.targets) })),
      methods: METHODS.map(({ name, published }) => outcomeOf(name, settings, scores, published)),
      curves: [...curves].map(([method, runs]) => ({ method, values: meanCurve(runs) })),
      curveMetric: 'accuracy',
      curveEvery: 1,
      sumCost: [],
      seconds: (performance.now() - from) / 1000,
    },
  ];
}
