// A job that trains a part of a model, with real programs: two layers stay as they are in the file, the head and the running statistics
// of a batch normalisation are federated, and the published file carries all of them.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { hex } from '../../src/base/index.js';
import { hash, LABELS, sha256 } from '../../src/crypto/index.js';
import { encodeModelState } from '../../src/job/index.js';
import {
  attributes,
  float32,
  GraphBuilder,
  initialParameters,
  parametersIn,
  readForwardModel,
} from '../../src/model/index.js';
import { JobState, Outcome, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { RANGES } from '../support/e2e/records.js';
import { seededFloats } from '../support/onnx-models.js';
import { runOnce, tensor } from '../support/onnx-run.js';
import { gathered } from '../support/transport.js';

const TRAIN = ['head.*', 'norm.mean', 'norm.variance'];
const ROUNDS = 5;

/** x [batch, 3] -> batch normalisation -> Gemm, Relu (an encoder of 8) -> Gemm (the head) -> logit. */
function encoderWithHead(): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', RANGES.length]);
  const vectors = {
    'norm.scale': [1, 1, 1],
    'norm.shift': [0, 0, 0],
    'norm.mean': [0, 0, 0],
    'norm.variance': [1, 1, 1],
  };
  for (const [name, values] of Object.entries(vectors)) builder.initialiser(name, float32([3], values));
  builder.initialiser('encoder.weight', float32([8, 3], seededFloats(24, 3)));
  builder.initialiser('encoder.bias', float32([8], seededFloats(8, 4)));
  builder.initialiser('head.weight', float32([1, 8], new Float32Array(8)));
  builder.initialiser('head.bias', float32([1], [0]));
  const normal = ['normal', 'next.mean', 'next.variance'];
  builder.emitNamed('BatchNormalization', ['x', 'norm.scale', 'norm.shift', 'norm.mean', 'norm.variance'], normal, {
    training_mode: attributes.int(1),
    momentum: attributes.float(0.5),
  });
  const gemm = { transB: attributes.int(1) };
  const hidden = builder.emit('Relu', [builder.emit('Gemm', ['normal', 'encoder.weight', 'encoder.bias'], gemm)]);
  builder.emitNamed('Gemm', [hidden, 'head.weight', 'head.bias'], ['logits'], gemm);
  builder.output('logits', 'float32', ['batch', 1]);
  return builder.bytes();
}

const ONNX = encoderWithHead();
let consortium: Consortium;
let job: Job;
let rounds: Round[];
let exported: Uint8Array;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  await consortium.start();
  const { silos, roster } = consortium.founded;
  await consortium.putBlob(ONNX);
  const file = trainingFile('head', silos, { rounds: ROUNDS, model: { file: 'model.onnx', train: TRAIN } });
  // A server rule with a memory, which must remember the head alone; statistics of raw records, whose variances are in the thousands.
  const server = { kind: 'fed-avg-m', learningRate: 1, momentum: 0.5 } as const;
  const { manifest } = trainingManifest(
    { ...file, training: { ...file.training, server, statisticsClip: 20_000 } },
    roster.hash,
    ONNX,
  );
  await consortium.approve(await consortium.offer(manifest));
  job = await consortium.finished('head');
  rounds = await consortium.acknowledgedRounds('head');
  exported = await gathered(consortium.client.exportModel({ jobId: 'head', state: false }));
});

afterAll(() => consortium.close());

it('sums the head and the running statistics and nothing else, and learns', () => {
  expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
  expect(rounds.map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: ROUNDS + 1 }, () => Outcome.OUTCOME_APPLIED),
  );
  for (const { acknowledgedBy } of rounds) expect(acknowledgedBy).toEqual(consortium.silos);
  const loss = (round: Round | undefined): number => round?.metrics.find(({ name }) => name === 'loss')?.value ?? NaN;
  expect(loss(rounds[0])).toBeCloseTo(Math.log(2), 3);
  expect(loss(rounds.at(-1))).toBeLessThan(0.9 * Math.log(2));
});

it('publishes the frozen values of the file and the trained ones', async () => {
  const whole = readForwardModel(ONNX);
  const [before, after] = [initialParameters(whole), parametersIn(whole, exported)];
  const valuesOf = (vector: Float32Array, name: string): number[] => {
    const { offset, length } = whole.parameters.find((slot) => slot.name === name)!;
    return [...vector.subarray(offset, offset + length)];
  };
  for (const name of ['norm.scale', 'norm.shift', 'encoder.weight', 'encoder.bias'])
    expect(valuesOf(after, name)).toEqual(valuesOf(before, name));
  expect(valuesOf(after, 'head.weight')).not.toEqual(valuesOf(before, 'head.weight'));
  // Dozens of steps with momentum 0.5 forget where they began: what is left are means and variances of the records.
  const rows = [...consortium.founded.tables.values()].flat();
  RANGES.forEach((_, column) => {
    const values = rows.map((row) => row[column]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows.length;
    expect(Math.abs(valuesOf(after, 'norm.mean')[column]! - mean)).toBeLessThan(Math.sqrt(variance));
    const ratio = valuesOf(after, 'norm.variance')[column]! / variance;
    expect(ratio).toBeGreaterThan(0.05);
    expect(ratio).toBeLessThan(3);
  });
  const { logits } = await runOnce(exported, { x: tensor(rows[0]!.slice(0, 3), [1, 3]) });
  expect(logits).toHaveLength(1);
});

it('publishes the model whose hash every silo has acknowledged', async () => {
  const state = await gathered(consortium.client.exportModel({ jobId: 'head', state: true }));
  expect(hex(hash(LABELS.model, state))).toBe(hex(job.modelHash));
  const trained = readForwardModel(ONNX, { train: TRAIN });
  expect([trained.parameterCount, trained.statisticCount]).toEqual([15, 6]);
  const parameters = parametersIn(trained, exported);
  // 9 weights, so that the momentum of the rule takes 72 bytes; they follow the parameters.
  const updateState = state.subarray(-72);
  expect(encodeModelState({ modelSha256: sha256(ONNX), parameters, updateState })).toEqual(Uint8Array.from(state));
});
