// A membership-inference attack on a hospital's own model, with and without DP-SGD: the likelihood-ratio attack of Carlini et al. (2022).
// Many models are trained on random halves of the same records. Each in turn is attacked: from all others the attacker knows how
// confident a model is in a record that it was trained on, and in one that it was not, and asks which of the two fits better.

import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawChart } from './chart.js';
import { columnIndex, parseCsv } from '../demo/csv.js';
import { toTable } from '../demo/records.js';
import { exampleModels } from '../make-example-models.js';
import { defaultLoss, initialParameters, readForwardModel } from '../../src/model/index.js';
import { epsilonOfUnits, noiseOfEpsilon } from '../../src/job/index.js';
import { createTrainer, rowReader, type Table, type Trainer } from '../../src/trainer/index.js';
import { seedBytes, seededWords } from './random.js';
import type { Progress } from './outcome.js';

const POOL = 100;
const MODELS = 32;
const SEED = 1;
const DELTA = 1e-3;
const BATCH = 16;
const STEPS = 600;
const SETTINGS: readonly (number | undefined)[] = [undefined, 10, 1];

export interface Attack {
  readonly name: string;
  readonly noise: number | undefined;
  readonly epsilon: number | undefined;
  /** Share of members found where this share of the others is taken for members, for 5, 10, ... 100 per cent. */
  readonly found: readonly number[];
  readonly auc: number;
  /** Accuracy of the attacked models on records that none of them was trained on. */
  readonly accuracy: number;
}

/** Rows that every run draws from, and rows for testing; features over their deviation. */
async function records(): Promise<{ pool: Table; test: Table }> {
  const text = await readFile(new URL('../../../examples/data/wdbc.csv', import.meta.url), 'utf8');
  const table = parseCsv(
    text
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join('\n'),
  );
  const at = columnIndex(table, 'malignant');
  const whole = toTable(
    {
      header: [...table.header.filter((_, i) => i !== at), 'malignant'],
      rows: table.rows.map((row) => [...row.filter((_, i) => i !== at), row[at] ?? '']),
    },
    'malignant',
  );
  const { rows, columns } = whole;
  const features = whole.features.slice();
  for (let column = 0; column < columns; column++) {
    const values = Array.from({ length: rows }, (_, row) => whole.features[row * columns + column] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
    values.forEach((value, row) => (features[row * columns + column] = (value - mean) / deviation));
  }
  const order = shuffled(rows, seedBytes('pool', SEED));
  const take = (picked: readonly number[]): Table => rowsOf({ ...whole, features }, picked);
  return { pool: take(order.slice(0, POOL)), test: take(order.slice(POOL)) };
}

function shuffled(count: number, seed: Uint8Array): number[] {
  const words = seededWords(seed)(count);
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => (words[a] ?? 0) - (words[b] ?? 0));
}

function rowsOf(table: Table, picked: readonly number[]): Table {
  const { columns } = table;
  const features = new Float32Array(picked.length * columns);
  const read = rowReader(table);
  picked.forEach((row, i) => {
    read(row, features, i * columns);
  });
  return {
    rows: picked.length,
    columns,
    features,
    targets: Float32Array.from(picked, (row) => table.targets[row] ?? 0),
  };
}

export async function runMembership(out: string, progress: Progress): Promise<readonly Attack[]> {
  const onnx = exampleModels().get('wdbc-mlp.onnx');
  if (onnx === undefined) throw new Error('the example model of the breast cancer data is missing');
  const { pool, test } = await records();
  await using trainer = await createTrainer({ model: onnx, loss: defaultLoss('binary-cross-entropy') });
  const start = initialParameters(readForwardModel(onnx));
  const attacks: Attack[] = [];
  for (const epsilon of SETTINGS) {
    const attack = await attackAt(epsilon, trainer, start, pool, test);
    attacks.push(attack);
    progress(
      `${attack.name.padEnd(12)} AUC of the attack ${attack.auc.toFixed(3)}, members found at 10 % false alarms ${((attack.found[1] ?? 0) * 100).toFixed(1)} %, accuracy of the models ${attack.accuracy.toFixed(3)}`,
    );
  }
  const guessing = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
  await mkdir(join(out, 'images'), { recursive: true });
  await writeFile(
    join(out, 'images', 'membership.svg'),
    drawChart({
      title: 'Who was trained on? Likelihood-ratio attack on one hospital’s model',
      axis: 'members that are found',
      across: 'others taken for members, per cent',
      every: 5,
      curves: [
        ...attacks.map(({ name, found }) => ({ method: name, values: found })),
        { method: 'guessing', values: guessing },
      ],
    }),
  );
  return attacks;
}

async function attackAt(
  epsilon: number | undefined,
  trainer: Trainer,
  start: Float32Array,
  pool: Table,
  test: Table,
): Promise<Attack> {
  const sampling = BATCH / (POOL / 2);
  const noise = epsilon === undefined ? undefined : noiseOfEpsilon({ sampling, steps: STEPS }, epsilon, DELTA);
  const members: ReadonlySet<number>[] = [];
  const confidence: Float64Array[] = [];
  let correct = 0;
  for (let model = 0; model < MODELS; model++) {
    // In pairs, one the rest of the other: each record is in half of the models.
    const order = shuffled(POOL, seedBytes('half', SEED, model >> 1));
    const half = order.slice((model & 1) * (POOL / 2), (model & 1) * (POOL / 2) + POOL / 2);
    const trained = await trainer.train({
      parameters: start,
      table: rowsOf(pool, half),
      recipe: {
        batchSize: BATCH,
        duration: { kind: 'steps', steps: STEPS },
        optimiser: { kind: 'sgd', momentum: 0 },
        learningRate: 0.5,
      },
      seed: seedBytes('order', SEED, model),
      privacy:
        noise === undefined
          ? undefined
          : {
              clip: 1,
              noise,
              sampling,
              expectedUnits: BATCH,
              samplingKey: seedBytes('sampling', SEED, model),
              noiseKey: seedBytes('noise', SEED, model),
            },
    });
    members.push(new Set(half));
    confidence.push(await confidences(trainer, trained.parameters, pool));
    const measured = await trainer.evaluate({ parameters: trained.parameters, table: test, batchSize: 64, bins: 10 });
    correct += measured.correct / measured.count / MODELS;
  }
  const { found, auc } = ratios(members, confidence);
  const proven = noise === undefined ? undefined : epsilonOfUnits({ sampling, steps: STEPS, noise }, DELTA).epsilon;
  const name = epsilon === undefined ? 'no noise' : `epsilon ${String(epsilon)}`;
  return { name, noise, epsilon: proven, found, auc, accuracy: correct };
}

/** log(p / (1 - p)) of each record's own outcome, from its loss: the scale on which confidences are about normal. */
async function confidences(trainer: Trainer, parameters: Float32Array, pool: Table): Promise<Float64Array> {
  const out = new Float64Array(pool.rows);
  for (let row = 0; row < pool.rows; row++) {
    const one = rowsOf(pool, [row]);
    const { lossSum } = await trainer.evaluate({ parameters, table: one, batchSize: 1, bins: 2 });
    const loss = Math.min(40, Math.max(1e-12, lossSum));
    out[row] = -loss - Math.log(-Math.expm1(-loss));
  }
  return out;
}

/** Each model in turn against all others; records and models together make one curve. */
function ratios(
  members: readonly ReadonlySet<number>[],
  confidence: readonly Float64Array[],
): { readonly found: readonly number[]; readonly auc: number } {
  const scored: { readonly score: number; readonly member: boolean }[] = [];
  for (const [target, own] of confidence.entries())
    for (let row = 0; row < POOL; row++) {
      const others = (inside: boolean): number[] =>
        confidence.flatMap((values, model) =>
          model !== target && members[model]?.has(row) === inside ? [values[row] ?? 0] : [],
        );
      const value = own[row] ?? 0;
      const score = logNormal(value, others(true)) - logNormal(value, others(false));
      scored.push({ score, member: members[target]?.has(row) === true });
    }
  scored.sort((a, b) => b.score - a.score);
  const total = scored.filter(({ member }) => member).length;
  const rest = scored.length - total;
  const found = new Array<number>(20).fill(1);
  let [hits, alarms, area] = [0, 0, 0];
  for (const { member } of scored) {
    if (member) hits++;
    else {
      alarms++;
      area += hits;
      const grid = Math.floor((20 * alarms) / rest);
      if (grid >= 1 && Math.floor((20 * (alarms - 1)) / rest) < grid) found[grid - 1] = hits / total;
    }
  }
  return { found, auc: area / total / rest };
}

function logNormal(value: number, sample: readonly number[]): number {
  const mean = sample.reduce((sum, one) => sum + one, 0) / sample.length;
  const variance = sample.reduce((sum, one) => sum + (one - mean) ** 2, 0) / sample.length + 1e-3;
  return -((value - mean) ** 2) / (2 * variance) - Math.log(variance) / 2;
}
