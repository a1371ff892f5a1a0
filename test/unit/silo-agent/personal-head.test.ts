// Personalised parameters: trained by each silo for itself, in no sum, and what its own metrics are measured with.

import { afterEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  checkLayout,
  explainManifest,
  firstModel,
  joinParts,
  localOf,
  parseJob,
  sharedOf,
  type JobFileTraining,
  type TrainingJobFile,
} from '../../../src/job/index.js';
import { readForwardModel } from '../../../src/model/index.js';
import type { Table } from '../../../src/trainer/index.js';
import { federate, type RoundReport } from '../../../tools/results/federation.js';
import { JobKind } from '../../../src/wire/index.js';
import { closeEngines, engineOf, QUIET, separable } from '../../support/engine.js';
import { contract, trainingManifest } from '../../support/jobs.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';

afterEach(closeEngines);

/** layer1 (24 values) is shared, layer2 (9 values) is the head. */
const ONNX = multiLayerPerceptron([2, 8, 1], 11);
const HEAD = ['layer2.*'];

/** Two hospitals that see a disease where two others see health: no common model can be right everywhere. */
const SILOS = [1, 2, 3, 4].map((seed) => {
  const table = separable(80, seed);
  const targets = seed > 2 ? table.targets.map((target) => 1 - target) : table.targets;
  const rows = (from: number, to: number): Table => ({
    rows: to - from,
    columns: 2,
    features: table.features.slice(2 * from, 2 * to),
    targets: targets.slice(from, to),
  });
  return { train: rows(0, 60), holdout: rows(60, 80) };
});

async function run(local: readonly string[], training: Partial<JobFileTraining> = {}, rounds = 8) {
  const first = firstModel(ONNX, undefined, sha256, { local });
  const { target: _target, ...data } = contract;
  const file: TrainingJobFile = {
    kind: 'train',
    job: 'personal',
    description: 'Heads of their own.',
    silos: ['a', 'b', 'c', 'd'],
    maxMalicious: 0,
    minCohort: 3,
    data: { ...data, target: { kind: 'binary', column: 'sick' }, minRows: 4, maxRows: 100 },
    model: { file: 'model.onnx', local },
    training: {
      loss: { kind: 'binary-cross-entropy', classWeights: [] },
      optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.9 },
      batchSize: 8,
      localWork: { kind: 'epochs', epochs: 2 },
      clip: 10,
      weightRows: 60,
      ...training,
    },
    rounds,
  };
  const { parameterCount } = first.model;
  const manifest = buildManifest(file, {
    rosterHash: new Uint8Array(32),
    initialModelHash: new Uint8Array(32),
    model: { blob: { sha256: sha256(ONNX), size: BigInt(ONNX.length) }, parameterCount },
  });
  const engine = await engineOf(ONNX);
  const started: Float32Array[] = [];
  const ended: Float32Array[] = [];
  const trainer = {
    train: async (request: Parameters<typeof engine.train>[0]) => {
      started.push(request.parameters.slice());
      const result = await engine.train(request, QUIET);
      ended.push(result.parameters.slice());
      return result;
    },
    evaluate: (request: Parameters<typeof engine.evaluate>[0]) => engine.evaluate(request, () => false),
  };
  const reports: RoundReport[] = [];
  const { local: part } = first;
  const federation = {
    manifest,
    start: first.state,
    silos: SILOS,
    trainer,
    seed: 5,
    sum: 'integer',
    local: part,
  } as const;
  for await (const report of federate(federation)) reports.push(report);
  const accuracy = reports.at(-1)?.metrics.find(({ name }) => name === 'accuracy')?.value ?? NaN;
  return { manifest, first, reports, started, ended, accuracy };
}

describe('local parameters', () => {
  it('let each silo be right where no common model can be', async () => {
    const common = await run([]);
    const personal = await run(HEAD);
    // A constant guess is right for half of them.
    expect(common.accuracy).toBeLessThan(0.75);
    expect(personal.accuracy).toBeGreaterThan(0.95);
  });

  it.each<[string, Partial<JobFileTraining>]>([
    ['plain', {}],
    ['scaffold', { method: { kind: 'scaffold' }, optimiser: { kind: 'sgd', learningRate: 0.05, momentum: 0 } }],
  ])('are in no sum and no state, and go on where the silo left them, with %s', async (_name, training) => {
    const { manifest, first, reports, started, ended } = await run(HEAD, training, 3);
    const part = first.local!;
    expect([part.wholeCount, part.sharedCount, part.localCount]).toEqual([33, 24, 9]);
    const delta = manifest.layout!.segments.find(({ name }) => name === 'delta')!;
    expect(delta.length).toBe(24n);
    for (const { state } of reports) expect(state.parameters).toHaveLength(24);
    const silos = SILOS.length;
    for (let at = 0; at < silos; at++) expect(localOf(part, started[at]!)).toEqual(part.initial);
    for (let at = silos; at < started.length; at++) {
      // The shared part from the round before, the head from this silo's own training.
      expect(sharedOf(part, started[at]!)).toEqual(reports[Math.floor(at / silos) - 1]!.state.parameters);
      expect(localOf(part, started[at]!)).toEqual(localOf(part, ended[at - silos]!));
    }
    // Heads of hospitals that see the opposite are not alike.
    expect(localOf(part, ended.at(-1)!)).not.toEqual(localOf(part, ended.at(-4)!));
  });

  it('and the shared ones together are the whole vector, wherever they stand in it', () => {
    const whole = Float32Array.from({ length: 33 }, (_, i) => i + 1);
    for (const local of [['layer1.*'], ['layer2.*'], ['layer1.bias', 'layer2.weight']]) {
      const part = firstModel(ONNX, undefined, sha256, { local }).local!;
      expect(joinParts(part, sharedOf(part, whole), localOf(part, whole))).toEqual(whole);
      expect(part.sharedCount + part.localCount).toBe(33);
    }
  });

  it('are told to those who approve the job', async () => {
    const { manifest } = await run(HEAD, {}, 1);
    const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0 };
    const sections = explainManifest(manifest, { manifestHash: new Uint8Array(32), policy });
    expect(sections.flatMap(({ lines }) => lines)).toContain(
      'These parameters never leave this hospital, which trains and keeps its own: layer2.*. The model is measured with them.',
    );
  });

  it('are refused where nothing is shared, where none has that name, and in a job that does not train', async () => {
    expect(() => readForwardModel(ONNX, { local: ['*'] })).toThrow(
      expect.objectContaining({ code: 'model/no-parameters' }),
    );
    expect(() => readForwardModel(ONNX, { local: ['layer3.*'] })).toThrow(/layer3/);
    expect(() => readForwardModel(ONNX, { train: ['layer1.*'], local: HEAD })).toThrow(/layer2/);
    const evaluation = { kind: JobKind.JOB_KIND_EVALUATE, updateRule: new Uint8Array(), roundLimit: 1, local: HEAD };
    expect(() => parseJob(trainingManifest(evaluation))).toThrow(/local: nothing/);
    // A coordinator that drops them from a manifest asks for a vector that the silo sees is another one.
    const { manifest } = await run(HEAD, {}, 1);
    const { model } = firstModel(ONNX, undefined, sha256, { ...manifest, local: [] });
    expect(checkLayout({ ...manifest, local: [] }, model)).toContainEqual({
      segment: 'delta',
      difference: 'length should be 33, is 24',
    });
  });
});
