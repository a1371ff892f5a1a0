// What a round of each method makes of two silos with unequal work, through the functions that agents call, against the papers' formulas.

import { afterEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import { buildManifest, firstModel, type JobFileTraining, type TrainingJobFile } from '../../../src/job/index.js';
import { initialParameters } from '../../../src/model/index.js';
import type { Table } from '../../../src/trainer/index.js';
import { federate, type RoundReport } from '../../../tools/results/federation.js';
import { closeEngines, engineOf, QUIET, separable } from '../../support/engine.js';
import { contract } from '../../support/jobs.js';
import { logisticRegression } from '../../support/onnx-models.js';

afterEach(closeEngines);

const RATE = 0.25;
const ONNX = logisticRegression(2);
const NO_ROWS: Table = { rows: 0, columns: 2, features: new Float32Array(), targets: new Float32Array() };
/** Unequal records: 4, 8 and 16 rows. */
const TABLES = [4, 8, 16].map((rows, i) => separable(rows, i + 1));

async function run(training: Partial<JobFileTraining>, rounds = 1) {
  const first = firstModel(ONNX, undefined, sha256);
  const { target: _target, ...data } = contract;
  const file: TrainingJobFile = {
    kind: 'train',
    job: 'methods',
    description: 'Compares methods.',
    silos: ['a', 'b', 'c'],
    maxMalicious: 0,
    minCohort: 3,
    data: { ...data, target: { kind: 'binary', column: 'sick' }, minRows: 4, maxRows: 16 },
    model: { file: 'model.onnx' },
    training: {
      loss: { kind: 'binary-cross-entropy', classWeights: [] },
      optimiser: { kind: 'sgd', learningRate: RATE, momentum: 0 },
      batchSize: 4,
      localWork: { kind: 'epochs', epochs: 1 },
      clip: 4,
      weightRows: 16,
      ...training,
    },
    evaluation: { holdoutFraction: 0 },
    rounds,
    // Formulas are compared to more digits than the fewest bits keep.
    modulusBits: 32,
  };
  const model = { blob: { sha256: sha256(ONNX), size: BigInt(ONNX.length) }, parameterCount: 3 };
  const manifest = buildManifest(file, {
    rosterHash: new Uint8Array(32),
    initialModelHash: new Uint8Array(32),
    model,
  });
  const engine = await engineOf(ONNX);
  const deltas: number[][] = [];
  const trainer = {
    train: async (request: Parameters<typeof engine.train>[0]) => {
      const result = await engine.train(request, QUIET);
      deltas.push([...result.parameters].map((value, i) => value - request.parameters[i]!));
      return result;
    },
    evaluate: (request: Parameters<typeof engine.evaluate>[0]) => engine.evaluate(request, () => false),
  };
  const silos = TABLES.map((train) => ({ train, holdout: NO_ROWS }));
  const reports: RoundReport[] = [];
  for await (const report of federate({ manifest, start: first.state, silos, trainer, seed: 5, sum: 'integer' }))
    reports.push(report);
  const before = initialParameters(first.model);
  const moved = reports.map(({ state }) => [...state.parameters].map((value, i) => value - before[i]!));
  return { deltas, moved, reports };
}

const WEIGHTS = [0.25, 0.5, 1];
const TOTAL = 1.75;
const mean = (values: readonly number[][], k: number): number =>
  values.reduce((sum, value, i) => sum + WEIGHTS[i]! * value[k]!, 0) / TOTAL;
const normOf = (values: readonly number[]): number => Math.hypot(...values);

function expectVector(found: readonly number[], expected: (k: number) => number): void {
  found.forEach((value, k) => {
    expect(value).toBeCloseTo(expected(k), 6);
  });
}

describe('a round of', () => {
  it('fed-avg moves the model by the weighted mean change, and says how far the silos agree', async () => {
    const { deltas, moved, reports } = await run({});
    expectVector(moved[0]!, (k) => mean(deltas, k));
    const metric = (name: string): number => reports[0]!.metrics.find((one) => one.name === name)!.value;
    const meanNorm = deltas.reduce((sum, delta, i) => sum + WEIGHTS[i]! * normOf(delta), 0) / TOTAL;
    expect(metric('silo-update-norm')).toBeCloseTo(meanNorm, 6);
    expect(metric('update-agreement')).toBeCloseTo(normOf(moved[0]!) / meanNorm, 5);
  });

  it('fed-nova does not let the silo with more steps pull further', async () => {
    const { deltas, moved } = await run({ method: { kind: 'fed-nova' } });
    // 1, 2 and 4 steps of 4 records.
    const steps = [1, 2, 4];
    const reach = steps.reduce((sum, a, i) => sum + WEIGHTS[i]! * a, 0) / TOTAL;
    const normalised = deltas.map((delta, i) => delta.map((change) => change / steps[i]!));
    expectVector(moved[0]!, (k) => reach * mean(normalised, k));
  });

  it('fed-prox stays nearer to where it began than fed-avg', async () => {
    const plain = await run({ localWork: { kind: 'epochs', epochs: 5 } });
    const held = await run({ localWork: { kind: 'epochs', epochs: 5 }, method: { kind: 'fed-prox', mu: 2 } });
    for (const i of [0, 1, 2]) expect(normOf(held.deltas[i]!)).toBeLessThan(normOf(plain.deltas[i]!));
  });

  it('scaffold starts as fed-avg, then corrects by c - c_i', async () => {
    const steps = { localWork: { kind: 'steps', steps: 1 }, batchSize: 16 } as const;
    const plain = await run(steps, 2);
    const { deltas, moved, reports } = await run({ ...steps, method: { kind: 'scaffold', controlClip: 50 } }, 2);
    expectVector(moved[0]!, (k) => plain.moved[0]![k]!);
    // One full-batch step: c_i is the silo's gradient at the first model, -delta / rate, and c their weighted mean.
    const control = deltas.slice(0, 3).map((delta) => delta.map((change) => -change / RATE));
    const bytes = reports[0]!.state.updateState;
    const common = new Float64Array(bytes.slice().buffer);
    expectVector([...common], (k) => mean(control, k));
    // Second round: gradients are taken at the same model as plain fed-avg's second round, so each delta differs by -rate * (c - c_i).
    for (const i of [0, 1, 2])
      expectVector(deltas[3 + i]!, (k) => plain.deltas[3 + i]![k]! - RATE * (common[k]! - control[i]![k]!));
    // With one step the corrections cancel in the weighted mean.
    expectVector(moved[1]!, (k) => plain.moved[1]![k]!);
  });

  it('fed-adam keeps a memory that the next round reads', async () => {
    const server = { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 } as const;
    const { moved, deltas, reports } = await run({ server }, 2);
    expectVector(moved[0]!, (k) => {
      const delta = mean(deltas.slice(0, 3), k);
      return (0.1 * 0.1 * delta) / (Math.sqrt(0.99e-6 + 0.01 * delta * delta) + 1e-3);
    });
    expect(reports.map(({ state }) => state.updateState.length)).toEqual([48, 48]);
  });

  it('scaffold with fed-adam keeps both memories apart', async () => {
    const server = { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 } as const;
    const { reports } = await run({ server, method: { kind: 'scaffold' } }, 2);
    expect(reports.map(({ state }) => state.updateState.length)).toEqual([72, 72]);
  });
});
