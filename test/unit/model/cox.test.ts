// Cox's partial likelihood: by hand, against finite differences, and against what fills up a batch.

import { describe, expect, it } from 'vitest';
import { LOSSES, readForwardModel, STEP_NAMES } from '../../../src/model/index.js';
import { logisticRegression } from '../../support/onnx-models.js';
import { parameterFeeds, runOnce, stepGraphs, tensor } from '../../support/onnx-run.js';

// One weight and no bias worth naming: the output is the feature times the weight.
const MODEL = readForwardModel(logisticRegression(1));

async function step(z: readonly number[], times: readonly number[], rowWeights: readonly number[], weight = 1) {
  const rows = z.length;
  const { training, evaluation } = await stepGraphs(MODEL, rows, LOSSES.cox);
  const feeds = {
    x: tensor([...z], [rows, 1]),
    [STEP_NAMES.targets]: tensor([...times], [rows]),
    ...parameterFeeds(training, Float32Array.of(weight, 0)),
  };
  const { [STEP_NAMES.rowLosses]: losses } = await runOnce(evaluation.bytes, feeds);
  const trained = await runOnce(training.bytes, { ...feeds, [STEP_NAMES.weights]: tensor([...rowWeights], [rows]) });
  return {
    losses: [...losses!],
    loss: trained[STEP_NAMES.loss]![0]!,
    gradient: trained[training.gradients[0]!]![0]!,
  };
}

describe('cox', () => {
  it('costs an event the log of its risk set over itself, and a censored row nothing', async () => {
    // Events at 1 and 3, censored at 2. Risk set of the first: all three; of the second: itself.
    const { losses } = await step([Math.log(2), 0, Math.log(5)], [1, -2, 3], [1, 1, 1]);
    expect(losses[0]).toBeCloseTo(Math.log((2 + 1 + 5) / 2), 5);
    expect(losses[1]).toBe(0);
    expect(losses[2]).toBeCloseTo(0, 6);
  });

  it('puts rows with equal times into each other’s risk sets, as Breslow does', async () => {
    const { losses } = await step([Math.log(2), Math.log(3)], [4, 4], [1, 1]);
    expect(losses[0]).toBeCloseTo(Math.log(5 / 2), 5);
    expect(losses[1]).toBeCloseTo(Math.log(5 / 3), 5);
  });

  it('has the gradient of its mean, with unequal row weights too', async () => {
    const [z, times, weights] = [
      [0.5, -1, 2, 0.3, 1],
      [3, 1, -2, 5, 3],
      [1, 2, 0.5, 1, 1],
    ];
    const { gradient } = await step(z, times, weights);
    const h = 1e-2;
    const above = (await step(z, times, weights, 1 + h)).loss;
    const below = (await step(z, times, weights, 1 - h)).loss;
    expect(gradient).toBeCloseTo((above - below) / (2 * h), 3);
    expect(Math.abs(gradient)).toBeGreaterThan(0.05);
  });

  it('is not moved by what fills up a batch', async () => {
    const whole = await step([0.5, -1, 2], [3, 1, -2], [1, 1, 1]);
    const filled = await step([0.5, -1, 2, 0, 0], [3, 1, -2, 0, 0], [1, 1, 1, 0, 0]);
    expect(filled.loss).toBeCloseTo(whole.loss, 6);
    expect(filled.gradient).toBeCloseTo(whole.gradient, 6);
    expect(filled.losses.slice(3)).toEqual([0, 0]);
  });

  it('stays finite at log hazards of a thousand, and where there is no event', async () => {
    const wild = await step([1000, -1000, 900], [1, 2, 3], [1, 1, 1]);
    expect([...wild.losses, wild.loss, wild.gradient].every(Number.isFinite)).toBe(true);
    const censored = await step([1, 2], [-1, -2], [1, 1]);
    expect([censored.loss, censored.gradient]).toEqual([0, 0]);
  });

  it('refuses an output of several values a row', async () => {
    const two = readForwardModel(logisticRegression(1, 2));
    await expect(stepGraphs(two, 2, LOSSES.cox)).rejects.toMatchObject({ code: 'model/bad-shape' });
  });
});
