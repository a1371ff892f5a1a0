// Metrics that are read from an opened sum, against the same metrics over all records in one place: five silos measure a known model on
// their own records as an agent does, their integers are added, and the sum is judged.

import { afterEach, describe, expect, it } from 'vitest';
import { learn } from '../../../silo-agent/learn.js';
import {
  deriveLayout,
  encodeContract,
  encodeRecipe,
  judgeRound,
  type Contract,
  type Job,
  type Recipe,
} from '../../../src/job/index.js';
import { JobKind, type Metric } from '../../../src/wire/index.js';
import type { LossSettings } from '../../../src/model/index.js';
import { closeEngines, engineOf } from '../../support/engine.js';
import { contract, recipe, room, trainingManifest } from '../../support/jobs.js';
import { logisticRegression, seededNumbers } from '../../support/onnx-models.js';
import { sumOf } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';

afterEach(closeEngines);

interface Row {
  readonly x: number;
  /** Position among the categories of `sex`. */
  readonly sex: number;
  readonly target: number;
}

const WEIGHTS = Float32Array.of(1.25, 0.5, -0.25);
const score = ({ x, sex }: Row): number => Math.fround(1.25 * x + 0.5 * sex - 0.25);
const probability = (row: Row): number => 1 / (1 + Math.exp(-score(row)));

/** Silos of 60, 50, 40, 30 and 20 records; of the last one only three have the category `other`. */
function silosOf(targetOf: (row: Omit<Row, 'target'>, next: () => number) => number): Row[][] {
  const next = seededNumbers(17);
  return [60, 50, 40, 30, 20].map((rows, silo) =>
    Array.from({ length: rows }, (_, i) => {
      const sex = silo === 4 ? (i < 3 ? 2 : i % 2) : i % 3;
      const row = { x: Math.fround(2 * next()), sex };
      return { ...row, target: Math.fround(targetOf(row, next)) };
    }),
  );
}

async function measure(
  silos: readonly Row[][],
  terms: { readonly loss: LossSettings; readonly target: Contract['target']; readonly bins: number },
  { slices = [], smallestSlice = 0 }: { readonly slices?: readonly string[]; readonly smallestSlice?: number } = {},
): Promise<Map<string, number>> {
  const own: Recipe = { ...recipe, loss: terms.loss, histogramBins: terms.bins, slices };
  const data: Contract = {
    ...contract,
    features: [
      { column: 'x', minimum: -10, maximum: 10, unit: '' },
      { column: 'sex', minimum: 0, maximum: 2, unit: '', categories: ['female', 'male', 'other'] },
    ],
    target: terms.target,
    minRows: 1,
  };
  const job: Job = { kind: 'evaluate', recipe: own, contract: data };
  const layoutMessage = deriveLayout(job, room);
  const layout = vectorLayout(layoutMessage);
  const engine = await engineOf(logisticRegression(2), terms.loss);
  const trainer = {
    evaluate: (request: Parameters<typeof engine.evaluate>[0]) => engine.evaluate(request, () => false),
    train: () => Promise.reject(new Error('an evaluation trains nothing')),
  };
  const tableOf = (rows: readonly Row[]) => ({
    rows: rows.length,
    columns: 2,
    features: Float32Array.from(rows.flatMap(({ x, sex }) => [x, sex])),
    targets: Float32Array.from(rows, ({ target }) => target),
  });
  const parts = [];
  for (const rows of silos) {
    const learned = await learn(trainer, {
      job,
      layout,
      round: 1,
      rounds: 1,
      closing: false,
      state: { modelSha256: new Uint8Array(32), parameters: WEIGHTS, updateState: new Uint8Array() },
      train: tableOf([]),
      holdout: tableOf(rows),
      seed: new Uint8Array(32),
      own: undefined,
      smallestSlice,
    });
    parts.push(learned.segments);
  }
  const manifest = trainingManifest({
    kind: JobKind.JOB_KIND_EVALUATE,
    recipe: encodeRecipe(own),
    dataContract: encodeContract(data),
    updateRule: new Uint8Array(),
    layout: layoutMessage,
    roundLimit: 1,
    acceptance: undefined,
  });
  const judged = judgeRound({
    manifest,
    layout,
    closing: false,
    opened: sumOf(layout, parts),
    survivors: silos.length,
    state: new Uint8Array(),
  });
  expect(judged.outcome).toBe('applied');
  return new Map(judged.metrics.map(({ name, value }: Metric) => [name, value]));
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('a regression', () => {
  const target = { kind: 'real', column: 'y', minimum: -5, maximum: 15 } as const;
  const silos = silosOf(({ x, sex }, next) => 1.1 * x + 0.4 * sex + next() + 2);
  const clear = (rows: readonly Row[]) => {
    const errors = rows.map((row) => score(row) - row.target);
    const middle = mean(rows.map((row) => row.target));
    const squares = errors.reduce((sum, error) => sum + error ** 2, 0);
    return {
      mae: mean(errors.map(Math.abs)),
      rmse: Math.sqrt(squares / rows.length),
      r2: 1 - squares / rows.reduce((sum, row) => sum + (row.target - middle) ** 2, 0),
    };
  };

  it.each<[string, LossSettings]>([
    ['squared-error', { kind: 'squared-error' }],
    ['huber', { kind: 'huber', delta: 1 }],
  ])('has the MAE, RMSE and R2 of all records together, with the loss %s', async (_name, loss) => {
    const metrics = await measure(silos, { loss, target, bins: 10 });
    const { mae, rmse, r2 } = clear(silos.flat());
    expect(metrics.get('mae')).toBeCloseTo(mae, 4);
    expect(metrics.get('rmse')).toBeCloseTo(rmse, 4);
    expect(metrics.get('r2')).toBeCloseTo(r2, 3);
    // The targets lie two above the scores, so that the test would see a mean taken for a spread.
    expect(r2).toBeLessThan(0);
  });

  it('has them for each category of a slice', async () => {
    const metrics = await measure(silos, { loss: { kind: 'squared-error' }, target, bins: 10 }, { slices: ['sex'] });
    for (const [sex, name] of ['female', 'male', 'other'].entries()) {
      const { mae, rmse } = clear(silos.flat().filter((row) => row.sex === sex));
      expect(metrics.get(`mae [sex = ${name}]`)).toBeCloseTo(mae, 3);
      expect(metrics.get(`rmse [sex = ${name}]`)).toBeCloseTo(rmse, 3);
    }
  });

  it('has no R2 where all targets are alike', async () => {
    const same = silosOf(() => 3);
    const metrics = await measure(same, { loss: { kind: 'squared-error' }, target, bins: 10 });
    expect(metrics.get('r2')).toBeUndefined();
    expect(metrics.get('mae')).toBeCloseTo(clear(same.flat()).mae, 4);
  });
});

describe('a survival model', () => {
  const target = { kind: 'survival', column: 'days', eventColumn: 'died', maximum: 100 } as const;
  // A third is censored, as a negative time; some times and scores are equal.
  const silos = silosOf((row, next) => {
    const time = Math.max(1, Math.min(100, Math.round(40 - 12 * (1.25 * row.x) + 25 * next())));
    return next() < -0.33 ? -time : time;
  });
  const clear = (rows: readonly Row[]): number => {
    let [won, pairs] = [0, 0];
    for (const one of rows)
      for (const other of rows) {
        const longer =
          Math.abs(other.target) > one.target || (Math.abs(other.target) === one.target && other.target < 0);
        if (one.target < 0 || one === other || !longer) continue;
        pairs++;
        won += score(one) > score(other) ? 1 : score(one) === score(other) ? 0.5 : 0;
      }
    return won / pairs;
  };

  it('has the C-index of all records together, within the bound that it states', async () => {
    const exact = clear(silos.flat());
    const bounds = [];
    for (const bins of [8, 32, 128]) {
      const metrics = await measure(silos, { loss: { kind: 'cox' }, target, bins });
      const bound = metrics.get('c-index-error-bound') ?? Number.NaN;
      expect(Math.abs((metrics.get('c-index') ?? Number.NaN) - exact)).toBeLessThanOrEqual(bound);
      bounds.push(bound);
    }
    expect(exact).toBeGreaterThan(0.7);
    // The bound is one that says something: it shrinks with the bins.
    expect(bounds[0]).toBeGreaterThan(bounds[1] ?? 0);
    expect(bounds[1]).toBeGreaterThan(bounds[2] ?? 0);
    expect(bounds[2]).toBeLessThan(0.03);
  });
});

describe('slices of a classification', () => {
  const terms = {
    loss: { kind: 'binary-cross-entropy', classWeights: [] },
    target: { kind: 'binary', column: 'sick' },
    bins: 200,
  } as const;
  const silos = silosOf(({ x, sex }, next) => (x + (sex === 2 ? -1 : 1) * 0.3 + next() > 0 ? 1 : 0));
  const clear = (rows: readonly Row[]) => {
    const [sick, healthy] = [1, 0].map((label) => rows.filter(({ target }) => target === label).map(probability));
    const pairs = (sick ?? []).flatMap((one) => (healthy ?? []).map((other): number => Number(one > other)));
    return {
      accuracy: mean(rows.map((row) => Number(probability(row) >= 0.5 === (row.target === 1)))),
      auc: mean(pairs),
    };
  };

  it('are the metrics of each category by itself', async () => {
    const metrics = await measure(silos, terms, { slices: ['sex'] });
    for (const [sex, name] of ['female', 'male', 'other'].entries()) {
      const rows = silos.flat().filter((row) => row.sex === sex);
      const { accuracy, auc } = clear(rows);
      expect(metrics.get(`records [sex = ${name}]`)).toBe(rows.length);
      expect(metrics.get(`accuracy [sex = ${name}]`)).toBeCloseTo(accuracy, 9);
      const bound = metrics.get(`auc-error-bound [sex = ${name}]`) ?? Number.NaN;
      expect(Math.abs((metrics.get(`auc [sex = ${name}]`) ?? Number.NaN) - auc)).toBeLessThanOrEqual(bound);
      expect(metrics.get(`silos-left-out [sex = ${name}]`)).toBe(0);
    }
    expect(metrics.get('records')).toBe(200);
  });

  it('leave out the small categories of a silo by its own policy, and one more so that nothing follows from the rest', async () => {
    const metrics = await measure(silos, terms, { slices: ['sex'], smallestSlice: 5 });
    // The last silo holds three of `other`, eight of `female` and nine of `male`: the next larger one goes as well.
    const told = silos.slice(0, 4).flat();
    const count = (sex: number, rows: readonly Row[]): number => rows.filter((row) => row.sex === sex).length;
    expect([0, 1, 2].map((sex) => count(sex, silos[4] ?? []))).toEqual([8, 9, 3]);
    expect(metrics.get('records [sex = female]')).toBe(count(0, told));
    expect(metrics.get('records [sex = male]')).toBe(count(1, silos.flat()));
    expect(metrics.get('records [sex = other]')).toBe(count(2, told));
    expect(metrics.get('silos-left-out [sex = female]')).toBe(1);
    expect(metrics.get('silos-left-out [sex = male]')).toBe(0);
    expect(metrics.get('silos-left-out [sex = other]')).toBe(1);
    expect(metrics.get('accuracy [sex = other]')).toBeCloseTo(clear(told.filter((row) => row.sex === 2)).accuracy, 9);
    // What is told of all of them together is not touched.
    expect(metrics.get('records')).toBe(200);
    expect(metrics.get('accuracy')).toBeCloseTo(clear(silos.flat()).accuracy, 9);
  });
});
