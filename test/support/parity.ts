// One fixture of tools/parity/export.py: a model and a batch from PyTorch with loss, gradients and running statistics, and the same
// step in Veilsum.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { differentiate, initialParameters, LOSSES, readForwardModel, type LossKind } from '../../src/model/index.js';
import { loadRuntime, measureShapes } from '../../src/trainer/runtime.js';
import { TrainingStep } from '../../src/trainer/step.js';

interface Entry {
  readonly shape: readonly number[];
  readonly data: string;
}

export interface Fixture {
  readonly loss: LossKind;
  readonly x: Entry;
  readonly y: Entry;
  readonly value: number;
  readonly gradients: Readonly<Record<string, Entry>>;
  readonly masks: readonly Entry[];
  /** Running statistics after the step. */
  readonly statistics: Readonly<Record<string, Entry>>;
}

export const FAMILIES = [
  'logistic-regression',
  'mlp-relu',
  'mlp-gelu',
  'mlp-dropout',
  'cnn',
  'resnet',
  'group-norm',
  'ecg',
  'lstm',
  'gru',
  'bidirectional-lstm',
  'transformer',
  'u-net',
] as const;

const FOLDER = new URL('../fixtures/parity/', import.meta.url);

export function fixtureModel(family: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`${family}.onnx`, FOLDER)));
}

export function fixture(family: string): Fixture {
  // Written by tools/parity/export.py in this form.
  return JSON.parse(readFileSync(fileURLToPath(new URL(`${family}.json`, FOLDER)), 'utf8')) as Fixture;
}

function bytesOf({ data }: Entry): ArrayBuffer {
  const bytes = Buffer.from(data, 'base64');
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

export function floats(entry: Entry): Float32Array {
  return new Float32Array(bytesOf(entry));
}

export interface StepResult {
  readonly loss: number;
  /** By the name of each parameter in the vector. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly statistics: ReadonlyMap<string, Float32Array>;
}

/** Runs the fixture's batch once from the file's own parameters, the fixture's masks in place of random ones. */
export async function runFixture(bytes: Uint8Array, expected: Fixture): Promise<StepResult> {
  const model = readForwardModel(bytes);
  const runtime = await loadRuntime();
  const [batchSize] = expected.x.shape;
  const shapes = await measureShapes(runtime, model, batchSize!);
  const graph = differentiate(model, shapes, LOSSES[expected.loss]);
  const step = await TrainingStep.open(runtime, graph);
  step.parameters.set(initialParameters(model));
  const integers = model.input.type === 'int64';
  step.batch.features.set(integers ? Array.from(new BigInt64Array(bytesOf(expected.x)), Number) : floats(expected.x));
  if (step.batch.targets instanceof BigInt64Array) step.batch.targets.set(new BigInt64Array(bytesOf(expected.y)));
  else step.batch.targets.set(floats(expected.y));
  step.batch.weights.fill(1);
  let mask = 0;
  const loss = await step.run({
    fill: (values) => {
      values.set(floats(expected.masks[mask++]!));
    },
  });
  const of = (statistic: boolean, vector: Float32Array) =>
    new Map(
      graph.parameters
        .filter((slot) => (slot.statistic === true) === statistic)
        .map(({ name, offset, length }) => [name, vector.slice(offset, offset + length)]),
    );
  const gradients = of(false, step.gradient);
  // What an optimiser might do to the coordinates of statistics.
  step.parameters.fill(1e9);
  step.settle();
  const statistics = of(true, step.parameters);
  await step.close();
  return { loss, gradients, statistics };
}

/** max |a - b| / max |b| over one tensor: the error relative to the largest element of PyTorch's. */
export function relativeError(ours: Float32Array, theirs: Float32Array): number {
  if (ours.length !== theirs.length) return Infinity;
  let difference = 0;
  let largest = 0;
  for (const [at, value] of theirs.entries()) {
    difference = Math.max(difference, Math.abs(ours[at]! - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

export function featuresOf(type: 'float32' | 'int64', { x }: Fixture): Float32Array {
  return type === 'int64' ? Float32Array.from(new BigInt64Array(bytesOf(x)), Number) : floats(x);
}

export function targetsOf({ y, loss }: Fixture): number[] {
  return loss === 'softmax-cross-entropy' ? Array.from(new BigInt64Array(bytesOf(y)), Number) : [...floats(y)];
}
