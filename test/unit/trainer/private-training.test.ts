// DP-SGD in the silo: a step by hand, batches of any size, the patient as the unit, and what must never happen.

import { afterEach, describe, expect, it } from 'vitest';
import { sha256, Keystream } from '../../../src/crypto/index.js';
import { utf8 } from '../../../src/base/index.js';
import { createLoss, initialParameters, readForwardModel, type LossKind } from '../../../src/model/index.js';
import { clippedGrid, GridNoise, poissonSample } from '../../../src/privacy/index.js';
import { openClipper, rowsOfRun } from '../../../src/trainer/open-clipper.js';
import { trainPrivately } from '../../../src/trainer/private-training.js';
import type { PrivateTerms } from '../../../src/trainer/private-terms.js';
import { loadRuntime } from '../../../src/trainer/runtime.js';
import { demandClipped, FLOAT_ALLOWANCE, type UnitClipper } from '../../../src/trainer/unit-clipper.js';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { logisticRegression, multiLayerPerceptron } from '../../support/onnx-models.js';
import { scaledWeights } from '../../support/scaled-weights.js';

const open: UnitClipper[] = [];
afterEach(async () => {
  await closeEngines();
  for (const clipper of open.splice(0)) await clipper.close();
});

const TERMS: PrivateTerms = {
  clip: 0.5,
  noise: 1,
  sampling: 0.3,
  expectedUnits: 12,
  samplingKey: sha256(utf8('sampling')),
  noiseKey: sha256(utf8('noise')),
};

const STEPS = (steps: number) => ({
  duration: { kind: 'steps', steps } as const,
  optimiser: { kind: 'sgd', momentum: 0 } as const,
  learningRate: 0.25,
});

/** Noise of one step, in units, as the silo draws it. */
function noiseOf(dimensions: number): Float64Array {
  const stream = new Keystream(TERMS.noiseKey);
  const values = new Float64Array(dimensions);
  new GridNoise((length) => stream.next(length)).roundAndAddInto(values, 1);
  return values;
}

function sampleOf(units: number, sampling = TERMS.sampling): number[] {
  const stream = new Keystream(TERMS.samplingKey);
  return poissonSample(units, sampling, (length) => stream.next(length));
}

async function clipperFor(model: Uint8Array, grouped = false, loss: LossKind = 'binary-cross-entropy') {
  const settings = loss === 'squared-error' ? ({ kind: loss } as const) : ({ kind: loss, classWeights: [] } as never);
  const opened = await openClipper(await loadRuntime(), readForwardModel(model), createLoss(settings), 12, grouped);
  open.push(opened.clipper);
  return opened;
}

const KEPT = { fill: (values: Float32Array) => values.fill(1) };

describe('one step by hand', () => {
  it('is the sample, the clipped gradients, the grid and the noise, and nothing else', async () => {
    const table = separable(40);
    const engine = await engineOf(logisticRegression(2, 1, 5));
    const request = { ...requestFor(engine, table, STEPS(1)), privacy: TERMS };
    const { parameters, steps } = await engine.train(request, QUIET);
    expect(steps).toBe(1);

    const [w0, w1, b] = initialParameters(engine.model) as unknown as [number, number, number];
    const total = [0, 0, 0];
    let cut = 0;
    for (const row of sampleOf(40)) {
      const [x0, x1] = [table.features[2 * row]!, table.features[2 * row + 1]!];
      const error = 1 / (1 + Math.exp(-(w0 * x0 + w1 * x1 + b))) - table.targets[row]!;
      const gradient = [error * x0, error * x1, error];
      const norm = Math.hypot(...gradient);
      const inside = TERMS.clip * (1 - FLOAT_ALLOWANCE);
      if (norm > inside) cut++;
      gradient.forEach((value, i) => (total[i]! += value * Math.min(1, inside / norm)));
    }
    expect(cut).toBeGreaterThan(0);
    const { unit } = clippedGrid(TERMS.clip, TERMS.noise, 3);
    const noise = noiseOf(3);
    const expected = total.map((value, i) => ((Math.round(value / unit) + noise[i]!) * unit) / TERMS.expectedUnits);
    const before = initialParameters(engine.model);
    for (const [i, value] of parameters.entries())
      expect(Math.abs(value - (before[i]! - 0.25 * expected[i]!))).toBeLessThan(1e-6);
  });

  it('moves by noise alone where nobody is sampled, and on the grid', async () => {
    const engine = await engineOf(logisticRegression(2, 1, 5));
    const privacy = { ...TERMS, sampling: 1e-9 };
    const { parameters } = await engine.train({ ...requestFor(engine, separable(40), STEPS(1)), privacy }, QUIET);
    const before = initialParameters(engine.model);
    const { unit } = clippedGrid(TERMS.clip, TERMS.noise, 3);
    for (const [i, units] of noiseOf(3).entries())
      expect(parameters[i]).toBe(Math.fround(before[i]! - 0.25 * Math.fround(units * (unit / TERMS.expectedUnits))));
  });

  it('gives the same bits again, and others under another key of noise or of sampling', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11));
    const train = async (change: Partial<PrivateTerms> = {}) =>
      (await engine.train({ ...requestFor(engine, separable(40), STEPS(5)), privacy: { ...TERMS, ...change } }, QUIET))
        .parameters;
    const first = await train();
    expect(await train()).toEqual(first);
    expect(await train({ noiseKey: sha256(utf8('other')) })).not.toEqual(first);
    expect(await train({ samplingKey: sha256(utf8('other')) })).not.toEqual(first);
  });
});

describe('batches of any size', () => {
  it('takes every sampled record, however many runs of the graph that needs', async () => {
    const table = separable(203);
    const { clipper, oneByOne } = await clipperFor(multiLayerPerceptron([2, 8, 1], 11));
    expect(oneByOne).toBe(false);
    const rows = Array.from({ length: 203 }, (_, row) => [row]);
    clipper.parameters.set(initialParameters(readForwardModel(multiLayerPerceptron([2, 8, 1], 11))));
    const whole = new Float64Array(clipper.parameters.length);
    await clipper.addInto(whole, rows, table, 0.1, KEPT);
    const apart = new Float64Array(whole.length);
    for (const row of rows) await clipper.addInto(apart, [row], table, 0.1, KEPT);
    for (const [i, value] of whole.entries()) expect(Math.abs(value - apart[i]!)).toBeLessThan(1e-5);
    const none = new Float64Array(whole.length);
    await clipper.addInto(none, [], table, 0.1, KEPT);
    expect(none.every((value) => value === 0)).toBe(true);
  });

  it('runs graphs of 8 to 64 rows, smaller ones for larger samples', () => {
    expect([1, 4, 12, 40, 64, 128, 512, 4096].map(rowsOfRun)).toEqual([8, 8, 32, 64, 64, 32, 8, 8]);
  });
});

describe('the patient as the unit', () => {
  it('counts a patient with many rows as one, even more than a run of the graph holds', async () => {
    const bytes = multiLayerPerceptron([2, 8, 1], 11);
    const table = separable(120);
    const parameters = initialParameters(readForwardModel(bytes));
    const patients = [Array.from({ length: 100 }, (_, row) => row), ...Array.from({ length: 20 }, (_, k) => [100 + k])];
    const graph = await clipperFor(bytes, true);
    const slow = await clipperFor(scaledWeights(bytes), true);
    expect([graph.oneByOne, slow.oneByOne]).toEqual([false, true]);
    const sums = await Promise.all(
      [graph, slow].map(async ({ clipper }) => {
        clipper.parameters.set(parameters);
        const sum = new Float64Array(parameters.length);
        await clipper.addInto(sum, patients, table, 0.05, KEPT);
        return sum;
      }),
    );
    for (const [i, value] of sums[0]!.entries()) expect(Math.abs(value - sums[1]![i]!)).toBeLessThan(1e-5);
    const alone = new Float64Array(parameters.length);
    await graph.clipper.addInto(alone, patients.slice(0, 1), table, 0.05, KEPT);
    expect(Math.hypot(...alone)).toBeLessThanOrEqual(0.05);
  });

  it('samples patients, not rows', async () => {
    const table = separable(40);
    const unitOfRow = Uint32Array.from({ length: 40 }, (_, row) => row % 4);
    const seen: number[][] = [];
    const spy: UnitClipper = {
      parameters: new Float32Array(3),
      addInto: (_sum, units) => {
        seen.push(...units.map((rows) => [...rows]));
        return Promise.resolve(0);
      },
      close: () => Promise.resolve(),
    };
    const engine = await engineOf(logisticRegression(2, 1, 5));
    const terms = { ...TERMS, sampling: 0.5, expectedUnits: 2, unitOfRow };
    await trainPrivately(spy, requestFor(engine, table, STEPS(20)), terms, QUIET);
    expect(seen.length).toBeGreaterThan(20);
    for (const rows of seen) expect(new Set(rows.map((row) => row % 4)).size).toBe(1);
    expect(seen.every((rows) => rows.length === 10)).toBe(true);
  });
});

describe('what must never happen', () => {
  it('refuses a sum that is longer than its units can make it', () => {
    expect(() => {
      demandClipped(Float32Array.of(3, 4), 5);
    }).not.toThrow();
    expect(() => {
      demandClipped(Float32Array.of(3, 4.001), 5);
    }).toThrow(/longer than its units/);
    expect(() => {
      demandClipped(Float32Array.of(Number.NaN), 5);
    }).toThrow(/longer than its units/);
  });

  it('does not stop at a record whose loss overflows, which would tell that it is there', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 11), 'squared-error');
    const table = separable(40);
    table.features.fill(3e38, 0, 2);
    const privacy = { ...TERMS, sampling: 1, expectedUnits: 40 };
    const { parameters } = await engine.train({ ...requestFor(engine, table, STEPS(3)), privacy }, QUIET);
    expect(parameters.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('refuses rows with weights, sampling above 1, and keys of another length', async () => {
    const engine = await engineOf(logisticRegression(2, 1, 5));
    const table = separable(40);
    const train = (change: Partial<PrivateTerms>, weighted = false) =>
      engine.train(
        {
          ...requestFor(engine, weighted ? { ...table, weights: new Float32Array(40).fill(2) } : table, STEPS(1)),
          privacy: { ...TERMS, ...change },
        },
        QUIET,
      );
    await expect(train({}, true)).rejects.toThrow(/weights/);
    await expect(train({ sampling: 1.01 })).rejects.toThrow(/sampling rate/);
    await expect(train({ noiseKey: new Uint8Array(16) })).rejects.toThrow(/32 bytes/);
    await expect(train({ unitOfRow: new Uint32Array(3) })).rejects.toThrow(/3 units for 40 rows/);
    await expect(train({ noise: 1e7 })).rejects.toThrow(/leaves fewer units/);
  });
});
