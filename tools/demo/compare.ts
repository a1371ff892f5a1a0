// What the federation is worth: every hospital alone, the federation, and all records pooled, on the same test records.

import { initialParameters, withStandardisation, aucFromHistograms } from '../../src/model/index.js';
import { parseRecipe, type Recipe } from '../../src/job/index.js';
import { createTrainer, type TrainingRecipe } from '../../src/trainer/index.js';
import { readForwardModel } from '../../src/model/index.js';
import { toTable, type Scenario } from './records.js';
import type { CsvTable } from './csv.js';

export interface Score {
  readonly accuracy: number;
  readonly auc: number;
}

export interface Comparison {
  readonly local: readonly (Score & { readonly silo: string; readonly records: number })[];
  readonly federated: Score;
  readonly pooled: Score & { readonly records: number };
  readonly testRecords: number;
}

/** `exported`: the federation's model, which takes raw features. Alone and pooled train as many steps or epochs as all rounds together. */
export async function compare(
  scenario: Scenario,
  recipeBytes: Uint8Array,
  rounds: number,
  forward: Uint8Array,
  exported: Uint8Array,
): Promise<Comparison> {
  const recipe = parseRecipe(recipeBytes);
  const local: (Score & { silo: string; records: number })[] = [];
  for (const { id, table } of scenario.silos)
    local.push({
      silo: id,
      records: table.rows.length,
      ...(await trainAndScore(scenario, table, recipe, rounds, forward)),
    });
  const { header } = scenario.test;
  const all: CsvTable = { header, rows: scenario.silos.flatMap(({ table }) => table.rows) };
  return {
    local,
    federated: await score(scenario, recipe, exported, undefined),
    pooled: { records: all.rows.length, ...(await trainAndScore(scenario, all, recipe, rounds, forward)) },
    testRecords: scenario.test.rows.length,
  };
}

async function trainAndScore(
  scenario: Scenario,
  table: CsvTable,
  recipe: Recipe,
  rounds: number,
  forward: Uint8Array,
): Promise<Score> {
  const records = toTable(table, scenario.target);
  const model = withStandardisation(forward, moments(records));
  const trainer = await createTrainer({ model, loss: recipe.loss });
  try {
    const { parameters } = await trainer.train({
      parameters: initialParameters(readForwardModel(model)),
      table: records,
      recipe: overAllRounds(recipe, rounds),
      seed: new Uint8Array(32),
    });
    return await score(scenario, recipe, model, parameters);
  } finally {
    await trainer.close();
  }
}

function overAllRounds({ batchSize, localWork, optimiser }: Recipe, rounds: number): TrainingRecipe {
  const { learningRate, ...settings } = optimiser;
  const duration =
    localWork.kind === 'epochs'
      ? ({ kind: 'epochs', epochs: localWork.epochs * rounds } as const)
      : ({ kind: 'steps', steps: localWork.steps * rounds } as const);
  return { batchSize, duration, optimiser: settings, learningRate };
}

const BINS = 1000;

async function score(
  scenario: Scenario,
  recipe: Recipe,
  model: Uint8Array,
  parameters: Float32Array | undefined,
): Promise<Score> {
  const trainer = await createTrainer({ model, loss: recipe.loss });
  try {
    const table = toTable(scenario.test, scenario.target);
    const measured = await trainer.evaluate({
      parameters: parameters ?? initialParameters(readForwardModel(model)),
      table,
      batchSize: 64,
      bins: BINS,
    });
    const auc = aucFromHistograms(measured.positives, measured.negatives)?.auc ?? NaN;
    return { accuracy: measured.correct / measured.count, auc };
  } finally {
    await trainer.close();
  }
}

function moments({ rows, columns, features }: { rows: number; columns: number; features: Float32Array }): {
  mean: Float64Array;
  std: Float64Array;
} {
  const mean = new Float64Array(columns);
  const std = new Float64Array(columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) mean[c] = (mean[c] ?? 0) + (features[r * columns + c] ?? 0) / rows;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      std[c] = (std[c] ?? 0) + ((features[r * columns + c] ?? 0) - (mean[c] ?? 0)) ** 2 / rows;
  return { mean, std: std.map(Math.sqrt) };
}
