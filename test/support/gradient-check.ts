// Compares the gradient that a rule emits with central differences, both through ONNX Runtime in float32 (it has no float64 for every
// operator). A step of 1e-2 balances rounding against curvature; measured errors are near 1e-5, so 3e-3 separates right from wrong.

import { expect } from 'vitest';
import {
  elementCount,
  float32,
  GraphBuilder,
  initialParameters,
  readForwardModel,
  type Loss,
} from '../../src/model/index.js';
import { openSession, parameterFeeds, STEP_NAMES, stepGraphs, tensor } from './onnx-run.js';
import { seededFloats } from './onnx-models.js';

const STEP = 1e-2;
const TOLERANCE = 3e-3;
/** Coordinates tried of each vector; larger ones are sampled evenly. */
const TRIED = 60;

/** Not a loss for training: the sum of output * target, whose gradient is the target, so that every output element counts. */
export const projection: Loss = {
  kind: 'projection',
  targetType: 'float32',
  targetShape: (shape) => shape,
  classes: () => undefined,
  rowLosses: (builder, output, targets) => {
    const product = builder.emit('Mul', [output.name, targets]);
    const [batch = 1] = output.shape;
    const flat = builder.emit('Reshape', [product, builder.ints([batch, -1])]);
    return builder.emit('ReduceSum', [flat, builder.ints([1])], {
      keepdims: { kind: 'int', value: 0 },
    });
  },
  rowGradient: (_builder, _output, targets) => targets,
  scores: (_builder, output) => output.name,
};

export interface OperatorCase {
  /** Shapes of the parameters, drawn from [-1, 1); or shape and values. */
  readonly parameters: Readonly<Record<string, readonly number[] | readonly [readonly number[], Float32Array]>>;
  /** Shape of what `emit` returns; the first axis plays the batch. */
  readonly output: readonly number[];
  readonly opset?: number;
  /** Compare with the training graph's own loss, where training computes something else than prediction. */
  readonly inTraining?: boolean;
  readonly emit: (builder: GraphBuilder) => string;
}

export function operatorModel({ parameters, output, opset = 17, emit }: OperatorCase): Uint8Array {
  const builder = new GraphBuilder(opset, '');
  let seed = 1;
  for (const [name, given] of Object.entries(parameters)) {
    const [shape, values] =
      given[1] instanceof Float32Array
        ? (given as readonly [readonly number[], Float32Array])
        : [given as readonly number[], seededFloats(elementCount(given as readonly number[]), seed++)];
    builder.initialiser(name, float32(shape, values));
  }
  // The batch enters by addition of zeros, so that the model has an input without it taking part.
  builder.input('x', 'float32', ['batch', ...output.slice(1)]);
  builder.emitNamed('Add', [emit(builder), 'x'], ['y']);
  builder.output('y', 'float32', ['batch', ...output.slice(1)]);
  return builder.bytes();
}

/** The largest difference between emitted and numerical gradient, relative to the gradient's largest element. */
export async function gradientError(
  bytes: Uint8Array,
  output: readonly number[],
  loss: Loss = projection,
  inTraining = false,
): Promise<number> {
  const model = readForwardModel(bytes);
  const batch = output[0]!;
  const { training, evaluation } = await stepGraphs(model, batch, loss);
  const flat = initialParameters(model);
  const targets = tensor(seededFloats(elementCount(output), 77), output);
  const common = { x: tensor(new Float32Array(elementCount(training.input.shape)), training.input.shape) };
  const weights = tensor(new Float32Array(batch).fill(1), [batch]);

  const step = await openSession(training.bytes);
  // Every third value is dropped.
  const masks = Object.fromEntries(
    training.masks.map(({ name, shape }) => [
      name,
      tensor(
        Array.from({ length: elementCount(shape) }, (_, i) => (i % 3 === 1 ? 0 : 1.5)),
        shape,
      ),
    ]),
  );
  const trained = async () =>
    step.run({
      ...common,
      ...masks,
      ...parameterFeeds(training, flat),
      [STEP_NAMES.targets]: targets,
      [STEP_NAMES.weights]: weights,
    });
  const emitted = await trained();
  const forward = await openSession(evaluation.bytes);
  const lossAt = async (): Promise<number> => {
    if (inTraining) return (await trained())[STEP_NAMES.loss]![0]!;
    const feeds = { ...common, ...parameterFeeds(evaluation, flat), [STEP_NAMES.targets]: targets };
    const rows = (await forward.run(feeds))[STEP_NAMES.rowLosses]!;
    return rows.reduce((sum, row) => sum + row, 0) / batch;
  };

  let worst = 0;
  for (const [at, slot] of training.parameters.entries()) {
    if (slot.statistic === true) continue;
    const gradient = emitted[training.gradients[at]!]!;
    expect(gradient.length).toBe(slot.length);
    const scale = Math.max(1e-2, ...gradient.map(Math.abs));
    const stride = Math.max(1, Math.floor(slot.length / TRIED));
    for (let i = 0; i < slot.length; i += stride) {
      const here = flat[slot.offset + i]!;
      flat[slot.offset + i] = here + STEP;
      const [above, upper] = [flat[slot.offset + i]!, await lossAt()];
      flat[slot.offset + i] = here - STEP;
      const [below, lower] = [flat[slot.offset + i]!, await lossAt()];
      flat[slot.offset + i] = here;
      worst = Math.max(worst, Math.abs((upper - lower) / (above - below) - gradient[i]!) / scale);
    }
  }
  await step.close();
  await forward.close();
  return worst;
}

export async function expectGradient(operatorCase: OperatorCase): Promise<void> {
  const { output, inTraining } = operatorCase;
  expect(await gradientError(operatorModel(operatorCase), output, projection, inTraining)).toBeLessThan(TOLERANCE);
}

/** Values at least 0.1 apart and away from zero, in scrambled order: for operators with kinks. */
export function distinctValues(length: number): Float32Array {
  // A factor without a common divisor makes i -> i * factor a permutation.
  const factor = length % 7 === 0 ? 11 : 7;
  return Float32Array.from({ length }, (_, i) => (((i * factor) % length) - length / 2 + 0.5) * 0.13);
}
