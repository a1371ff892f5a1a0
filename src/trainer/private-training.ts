// DP-SGD (Abadi et al. 2016) on the records of one silo. Each step: a Poisson sample of units, their gradients cut to the clip, the sum
// rounded to a grid, discrete Gaussian noise added to it, and only then a step of the optimiser. What comes out has seen records through
// those noisy sums alone. docs/privacy.md.

import { Keystream } from '../crypto/index.js';
import { clipGradientInto, correctInto, createOptimiser, pullTowardsInto } from '../model/index.js';
import { clippedGrid, GridNoise, poissonSample } from '../privacy/index.js';
import { MaskSource } from './dropout.js';
import { TrainerError } from './errors.js';
import { diverged, type Hooks, type TrainingRequest, type TrainingResult } from './local-training.js';
import type { PrivateTerms } from './private-terms.js';
import { stepsOf } from './recipe.js';
import type { AnyTable } from './table.js';
import type { UnitClipper, UnitRows } from './unit-clipper.js';

const REPORTS = 100;

/** Throws as `trainLocally`, and `trainer/unclipped`. A loss that is not finite stops nothing: that would tell of records. */
export async function trainPrivately(
  clipper: UnitClipper,
  request: TrainingRequest,
  terms: PrivateTerms,
  hooks: Hooks,
): Promise<TrainingResult> {
  const { table, recipe, correction } = request;
  const { clip, noise, sampling, expectedUnits } = checkedTerms(terms, table);
  const { maxGradientNorm, proximal = 0 } = recipe;
  const steps = stepsOf(recipe, table.rows);
  const optimiser = createOptimiser(recipe.optimiser, request.parameters.length);
  const masks = new MaskSource(request.seed);
  const units = unitsOf(table, terms.unitOfRow);
  const samplingStream = new Keystream(terms.samplingKey);
  const noiseStream = new Keystream(terms.noiseKey);
  const grid = clippedGrid(clip, noise, request.parameters.length);
  const gridNoise = new GridNoise((length) => noiseStream.next(length));
  const { parameters } = clipper;
  const gradient = new Float32Array(request.parameters.length);
  const sum = new Float64Array(request.parameters.length);
  const reportEvery = Math.ceil(steps / REPORTS);
  parameters.set(request.parameters);
  let lossSum = 0;
  let counted = 0;
  for (let done = 1; done <= steps; done++) {
    if (hooks.aborted())
      throw new TrainerError('trainer/aborted', `stopped before step ${String(done)} of ${String(steps)}`);
    const sampled = poissonSample(units.length, sampling, (length) => samplingStream.next(length));
    sum.fill(0);
    const loss = await clipper.addInto(
      sum,
      // Below the number of units.
      sampled.map((unit) => units[unit] as UnitRows),
      table,
      clip,
      masks,
    );
    if (Number.isFinite(loss)) {
      lossSum += loss;
      counted += sampled.length;
    }
    gridNoise.roundAndAddInto(sum, grid.unit);
    const factor = grid.unit / expectedUnits;
    for (let i = 0; i < gradient.length; i++) gradient[i] = (sum[i] as number) * factor;
    if (maxGradientNorm !== undefined) clipGradientInto(gradient, maxGradientNorm);
    if (proximal > 0) pullTowardsInto(gradient, parameters, request.parameters, proximal);
    if (correction !== undefined) correctInto(gradient, correction);
    optimiser.step(parameters, gradient, recipe.learningRate);
    if (done % reportEvery === 0) hooks.progress({ step: done, steps, meanLoss: lossSum / Math.max(1, counted) });
  }
  if (parameters.some((value) => !Number.isFinite(value)))
    throw diverged(`a parameter is not finite after step ${String(steps)}`);
  return { parameters: parameters.slice(), steps, meanLoss: lossSum / Math.max(1, counted) };
}

/** Throws `trainer/bad-recipe` or `trainer/bad-data`. */
function checkedTerms(terms: PrivateTerms, table: AnyTable): PrivateTerms {
  const refuse = (message: string): never => {
    throw new TrainerError('trainer/bad-recipe', message);
  };
  const { sampling, expectedUnits, samplingKey, noiseKey, unitOfRow } = terms;
  if (!(sampling > 0 && sampling <= 1)) refuse(`a sampling rate of ${String(sampling)} is not above 0 and at most 1`);
  if (!(expectedUnits >= 1 && expectedUnits < Infinity))
    refuse(`${String(expectedUnits)} expected units are not at least one`);
  if (samplingKey.length !== 32 || noiseKey.length !== 32) refuse('the keys of sampling and noise have 32 bytes each');
  // A weight would let one record count for several.
  if (table.weights !== undefined) refuse('rows with weights are not trained on privately');
  if (unitOfRow !== undefined && unitOfRow.length !== table.rows)
    throw new TrainerError(
      'trainer/bad-data',
      `${String(unitOfRow.length)} units for ${String(table.rows)} rows: each row belongs to one`,
    );
  return terms;
}

/** The rows of each unit, in order; a number that no row has is a unit without rows. */
function unitsOf({ rows }: AnyTable, unitOfRow: Uint32Array | undefined): readonly UnitRows[] {
  if (unitOfRow === undefined) return Array.from({ length: rows }, (_, row) => [row]);
  const count = unitOfRow.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const units: number[][] = Array.from({ length: count }, () => []);
  for (const [row, unit] of unitOfRow.entries()) units[unit]?.push(row);
  return units;
}
