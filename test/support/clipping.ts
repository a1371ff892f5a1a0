// One batch through the graph that clips, and the same rows one at a time through the plain one, clipped in float64.

import { expect } from 'vitest';
import {
  clippedGraph,
  differentiate,
  LOSSES,
  readForwardModel,
  type ForwardModel,
  type LossKind,
} from '../../src/model/index.js';
import { ClippedStep } from '../../src/trainer/clipped-step.js';
import { loadRuntime, measureShapes } from '../../src/trainer/runtime.js';
import { relativeError } from './parity.js';
import { TrainingStep } from '../../src/trainer/step.js';

export interface ClippingCase {
  readonly bytes: Uint8Array;
  readonly loss: LossKind;
  readonly parameters: Float32Array;
  /** Row-major. */
  readonly features: Float32Array;
  readonly targets: readonly number[];
  readonly weights: readonly number[];
  /** Rows of each unit; each row by itself unless given. */
  readonly units?: readonly (readonly number[])[];
}

export interface Clipped {
  readonly norms: Float64Array;
  readonly sum: Float64Array;
  readonly model: ForwardModel;
}

const KEPT = { fill: (values: Float32Array) => values.fill(1) };

export async function clippedAtOnce(
  one: ClippingCase,
  clip: number,
): Promise<Clipped & { readonly writtenOut: number }> {
  const { bytes, loss, parameters, features, targets, weights, units } = one;
  const model = readForwardModel(bytes);
  const runtime = await loadRuntime();
  const batch = weights.length;
  const [shapes, other] = [await measureShapes(runtime, model, batch), await measureShapes(runtime, model, batch + 1)];
  const graph = clippedGraph(model, shapes, other, LOSSES[loss], units !== undefined);
  const step = await ClippedStep.open(runtime, graph);
  step.parameters.set(parameters);
  step.batch.features.set(features);
  setTargets(step.batch.targets, targets);
  step.batch.weights.set(weights);
  for (const [unit, rows] of (units ?? []).entries()) for (const row of rows) step.units[unit * batch + row] = 1;
  await step.run(clip, KEPT);
  const [norms, sum] = [Float64Array.from(step.norms), Float64Array.from(step.sum)];
  await step.close();
  return { norms, sum, model, writtenOut: graph.writtenOut };
}

export async function clippedOneByOne(one: ClippingCase, clip: number): Promise<Clipped> {
  const { bytes, loss, parameters, features, targets, weights } = one;
  const model = readForwardModel(bytes);
  const runtime = await loadRuntime();
  const graph = differentiate(model, await measureShapes(runtime, model, 1), LOSSES[loss]);
  const step = await TrainingStep.open(runtime, graph);
  step.parameters.set(parameters);
  const rows = weights.map((_, row) => row);
  const [columns, perRow] = [features.length / rows.length, targets.length / rows.length];
  const gradients: Float64Array[] = [];
  for (const row of rows) {
    step.batch.features.set(features.subarray(row * columns, (row + 1) * columns));
    setTargets(step.batch.targets, targets.slice(row * perRow, (row + 1) * perRow));
    step.batch.weights.fill(1);
    await step.run(KEPT);
    gradients.push(Float64Array.from(step.gradient, (value) => value * weights[row]!));
  }
  await step.close();
  const units = one.units ?? rows.map((row) => [row]);
  const norms = new Float64Array(rows.length);
  const sum = new Float64Array(model.parameterCount);
  for (const [unit, members] of units.entries()) {
    const total = new Float64Array(model.parameterCount);
    for (const row of members) gradients[row]!.forEach((value, i) => (total[i]! += value));
    const norm = Math.hypot(...total);
    norms[unit] = norm;
    const factor = norm > clip ? clip / norm : 1;
    total.forEach((value, i) => (sum[i]! += value * factor));
  }
  return { norms, sum, model };
}

function setTargets(into: Float32Array | BigInt64Array, targets: readonly number[]): void {
  if (into instanceof BigInt64Array) into.set(targets.map((value) => BigInt(value)));
  else into.set(targets);
}

const TOLERANCE = 1e-5;

/** Expects norms and sums of both ways to be equal to one part in 10^5, at a clip that cuts about half of the rows. */
export async function sameAsSingleRuns(one: ClippingCase): Promise<{ readonly writtenOut: number }> {
  const free = await clippedOneByOne(one, Infinity);
  const sorted = [...free.norms].filter((norm) => norm > 0).sort((a, b) => a - b);
  // Some are cut and some are not.
  const clip = sorted[sorted.length >> 1]! * 0.9;
  const expected = await clippedOneByOne(one, clip);
  const found = await clippedAtOnce(one, clip);
  expect(relativeError(Float32Array.from(found.norms), Float32Array.from(expected.norms))).toBeLessThan(TOLERANCE);
  for (const { name, offset, length } of found.model.parameters)
    expect(
      relativeError(
        Float32Array.from(found.sum.subarray(offset, offset + length)),
        Float32Array.from(expected.sum.subarray(offset, offset + length)),
      ),
      name,
    ).toBeLessThan(TOLERANCE);
  return { writtenOut: found.writtenOut };
}
