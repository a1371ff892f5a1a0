// Several equal maxima in one window of a MaxPool: the first one, row by row, takes the whole gradient, as in PyTorch. Finite differences
// cannot tell, so the rule has a test of its own.

import { expect, it } from 'vitest';
import { attributes, initialParameters, readForwardModel } from '../../../src/model/index.js';
import { operatorModel, projection } from '../../support/gradient-check.js';
import { openSession, parameterFeeds, STEP_NAMES, stepGraphs, tensor } from '../../support/onnx-run.js';

async function gradientOf(values: readonly number[], output: readonly number[], strides: readonly number[]) {
  const pool = { kernel_shape: attributes.ints([2, 2]), strides: attributes.ints(strides) };
  const side = Math.sqrt(values.length);
  const bytes = operatorModel({
    parameters: { p: [[1, 1, side, side], Float32Array.from(values)] },
    output,
    emit: (builder) => builder.emit('MaxPool', ['p'], pool),
  });
  const model = readForwardModel(bytes);
  const { training } = await stepGraphs(model, 1, projection);
  const count = output.reduce((product, extent) => product * extent, 1);
  const session = await openSession(training.bytes);
  const results = await session.run({
    x: tensor(new Float32Array(count), output),
    ...parameterFeeds(training, initialParameters(model)),
    [STEP_NAMES.targets]: tensor(
      Array.from({ length: count }, (_, i) => i + 1),
      output,
    ),
    [STEP_NAMES.weights]: tensor([1], [1]),
  });
  await session.close();
  return [...results[training.gradients[0]!]!];
}

it('gives the gradient of windows side by side to their first maximum', async () => {
  const values = [5, 5, 0, 1, 5, 5, 1, 1, 0, 2, 3, 3, 2, 2, 3, 0];
  expect(await gradientOf(values, [1, 1, 2, 2], [2, 2])).toEqual([1, 0, 0, 2, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
});

it('gives the gradient of overlapping windows to their first maximum, which may win several times', async () => {
  expect(await gradientOf([1, 4, 1, 4, 4, 4, 1, 1, 1], [1, 1, 2, 2], [1, 1])).toEqual([0, 3, 0, 3, 4, 0, 0, 0, 0]);
});
