// Batch normalisation in a federation of three silos, through the functions that agents call: running statistics are the weighted mean
// of the silos' own whatever rule and method a job has, and cost nothing of the bound on the change of the weights.

import { afterEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  checkLayout,
  explainManifest,
  firstModel,
  type JobFileTraining,
  type ManifestFacts,
  type TrainingJobFile,
} from '../../../src/job/index.js';
import { attributes, float32, GraphBuilder } from '../../../src/model/index.js';
import type { Table } from '../../../src/trainer/index.js';
import { federate, type RoundReport } from '../../../tools/results/federation.js';
import { closeEngines, engineOf, QUIET, separable } from '../../support/engine.js';
import { contract } from '../../support/jobs.js';

afterEach(closeEngines);

/** x [batch, 2] -> batch normalisation -> Gemm. Statistics stand before the weights in the file and behind them in the vector. */
function normalisedRegression(): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', 2]);
  const tensors = { mean: [0, 0], variance: [1, 1], scale: [1, 1], shift: [0, 0], bias: [0] };
  for (const [name, values] of Object.entries(tensors)) builder.initialiser(name, float32([values.length], values));
  builder.initialiser('weight', float32([1, 2], [0.1, -0.1]));
  const outputs = ['normal', 'next_mean', 'next_variance'];
  builder.emitNamed('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], outputs, {
    training_mode: attributes.int(1),
    momentum: attributes.float(0.9),
  });
  builder.emitNamed('Gemm', ['normal', 'weight', 'bias'], ['logits'], { transB: attributes.int(1) });
  builder.output('logits', 'float32', ['batch', 1]);
  return builder.bytes();
}

const ONNX = normalisedRegression();
const FIRST = firstModel(ONNX, undefined, sha256);
const NO_ROWS: Table = { rows: 0, columns: 2, features: new Float32Array(), targets: new Float32Array() };
/** 4, 8 and 16 records far from zero, so that running means change by more than the clip of the weights. */
const TABLES = [4, 8, 16].map((rows, i) => {
  const table = separable(rows, i + 1);
  return { ...table, features: table.features.map((value) => value * (i + 1) + 40) };
});
const WEIGHTS = [0.25, 0.5, 1];
const CLIP = 1;
const BATCH = 16;

const TRAINING: JobFileTraining = {
  loss: { kind: 'binary-cross-entropy', classWeights: [] },
  optimiser: { kind: 'sgd', learningRate: 0.25, momentum: 0 },
  batchSize: BATCH,
  localWork: { kind: 'steps', steps: 2 },
  clip: CLIP,
  weightRows: 16,
};
const { target: _target, ...DATA } = contract;

const FACTS: ManifestFacts = {
  rosterHash: new Uint8Array(32),
  initialModelHash: new Uint8Array(32),
  model: { blob: { sha256: sha256(ONNX), size: BigInt(ONNX.length) }, ...FIRST.model },
};

function manifestOf(training: Partial<JobFileTraining>, rounds = 2) {
  const file: TrainingJobFile = {
    kind: 'train',
    job: 'normalised',
    description: 'Trains with batch normalisation.',
    silos: ['a', 'b', 'c'],
    maxMalicious: 0,
    minCohort: 3,
    data: { ...DATA, target: { kind: 'binary', column: 'sick' }, minRows: 4, maxRows: 16 },
    model: { file: 'model.onnx' },
    training: { ...TRAINING, ...training },
    evaluation: { holdoutFraction: 0 },
    rounds,
  };
  return buildManifest(file, FACTS);
}

async function run(training: Partial<JobFileTraining>): Promise<RoundReport[]> {
  const engine = await engineOf(ONNX);
  const trainer = {
    train: (request: Parameters<typeof engine.train>[0]) => engine.train(request, QUIET),
    evaluate: (request: Parameters<typeof engine.evaluate>[0]) => engine.evaluate(request, () => false),
  };
  const silos = TABLES.map((train) => ({ train, holdout: NO_ROWS }));
  const reports: RoundReport[] = [];
  const manifest = manifestOf(training);
  for await (const report of federate({ manifest, start: FIRST.state, silos, trainer, seed: 5, sum: 'integer' }))
    reports.push(report);
  return reports;
}

/** Mean and variance of one column, the latter as PyTorch's running variance takes it in a batch of BATCH records. */
function ofColumn({ features, rows }: Table, column: number): { readonly mean: number; readonly variance: number } {
  const values = Array.from({ length: rows }, (_, row) => features[2 * row + column]!);
  const mean = values.reduce((sum, value) => sum + value, 0) / rows;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
  return { mean, variance: (square * BATCH) / (BATCH - 1) };
}

/** By hand: two steps of every silo leave 0.81 of what a round starts with and 0.19 of its own records; then the weighted mean. */
function byHand(rounds: number): number[] {
  const own = (column: number, what: 'mean' | 'variance'): number =>
    TABLES.reduce((sum, table, i) => sum + WEIGHTS[i]! * ofColumn(table, column)[what], 0) / 1.75;
  const from = (start: number, target: number): number => {
    let value = start;
    for (let round = 0; round < rounds; round++) value = 0.81 * value + 0.19 * target;
    return value;
  };
  return [0, 1].flatMap((column) => [from(0, own(column, 'mean')), from(1, own(column, 'variance'))]);
}

const RULES: Record<string, Partial<JobFileTraining>> = {
  'fed-avg': {},
  'fed-adam': { server: { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 } },
  'fed-avg-m with half a step': { server: { kind: 'fed-avg-m', learningRate: 0.5, momentum: 0.9 } },
  scaffold: { method: { kind: 'scaffold' } },
  'scaffold with fed-yogi': {
    method: { kind: 'scaffold' },
    server: { kind: 'fed-yogi', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 },
  },
  'fed-nova': { method: { kind: 'fed-nova' } },
  'fed-prox': { method: { kind: 'fed-prox', mu: 0.5 } },
};

describe('running statistics', () => {
  it('stand at the end of the vector and in a segment of their own', () => {
    const { parameters, parameterCount, statisticCount } = FIRST.model;
    expect(parameters.map(({ name }) => name)).toEqual(['scale', 'shift', 'bias', 'weight', 'mean', 'variance']);
    expect([parameterCount, statisticCount]).toEqual([11, 4]);
    const manifest = manifestOf({ method: { kind: 'scaffold' } });
    expect(manifest.layout?.segments.slice(0, 3).map(({ name, length }) => [name, Number(length)])).toEqual([
      ['delta', 7],
      ['running-statistics', 4],
      ['control', 7],
    ]);
    expect(checkLayout(manifest, FIRST.model)).toEqual([]);
    const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0 };
    const sections = explainManifest(manifest, { manifestHash: new Uint8Array(32), policy });
    expect(sections.flatMap(({ lines }) => lines).join('\n')).toContain(
      'running-statistics (4): the change of each running mean and variance of batch normalisation, times the weight, each cut at 100',
    );
  });

  it('may have another bound in the manifest, and must be there', () => {
    const manifest = manifestOf({ statisticsClip: 5 });
    expect(checkLayout(manifest, FIRST.model)).toEqual([]);
    expect(checkLayout(manifest, { parameterCount: 11, statisticCount: 0 })).not.toEqual([]);
    expect(() => manifestOf({ statisticsClip: 0 })).toThrow(/training.statisticsClip/);
  });

  it.each(Object.entries(RULES))('are the weighted mean of the silos under %s', async (_, training) => {
    const reports = await run(training);
    for (const [at, { state, metrics }] of reports.entries()) {
      const [mean0, mean1, variance0, variance1] = state.parameters.subarray(7);
      const [m0, v0, m1, v1] = byHand(at + 1);
      for (const [found, expected] of [
        [mean0, m0],
        [mean1, m1],
        [variance0, v0],
        [variance1, v1],
      ])
        expect(found).toBeCloseTo(expected!, 4);
      // Means move by several units, and nothing is cut: the bound of 1 is for the weights alone.
      expect(mean0).toBeGreaterThan(5);
      const metric = (name: string): number | undefined => metrics.find((one) => one.name === name)?.value;
      expect(metric('silo-update-norm')).toBeLessThan(CLIP);
      expect(metric('saturated')).toBe(0);
      const bytes = state.updateState.length;
      // 7 weights: vectors of 56 bytes, and none for the 4 statistics.
      expect(bytes % 56).toBe(0);
    }
    expect([...reports[1]!.state.parameters.subarray(4, 7)]).not.toEqual([0, Math.fround(0.1), Math.fround(-0.1)]);
  });

  it('are cut at their bound and counted where a silo changes by more', async () => {
    const [report] = await run({ statisticsClip: 5 });
    const cut = TABLES.map((table, i) => Math.min(5, WEIGHTS[i]! * 0.19 * ofColumn(table, 0).mean));
    expect(cut.filter((value) => value === 5)).toHaveLength(1);
    expect(report!.state.parameters[7]).toBeCloseTo(cut.reduce((sum, value) => sum + value) / 1.75, 4);
    expect(report!.metrics.find(({ name }) => name === 'saturated')?.value).toBeGreaterThan(0);
  });

  it('have no place in a job with noise', () => {
    const privacy = { mechanism: 'skellam', noise: 1, delta: 1e-5 } as const;
    expect(() => manifestOf({ privacy, weightRows: 1 })).toThrow(/without batch normalisation, with privacy/);
  });
});
