// The models under examples/ are what the tool makes, and can be trained.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { initialParameters, readForwardModel } from '../../../src/model/index.js';
import { exampleModels } from '../../../tools/make-example-models.js';
import { runOnce, tensor } from '../../support/onnx-run.js';

const SIZES: Record<string, [columns: number, parameters: number]> = {
  'wdbc-mlp.onnx': [30, 30 * 16 + 16 + 16 + 1],
  'heart-logreg.onnx': [13, 14],
};

for (const [name, bytes] of exampleModels())
  describe(name, () => {
    it('lies in examples/models with the same bytes', () => {
      expect(new Uint8Array(readFileSync(`examples/models/${name}`))).toEqual(new Uint8Array(bytes));
    });

    it('is accepted for training', () => {
      const [columns, parameters] = SIZES[name]!;
      const model = readForwardModel(bytes);
      expect(model).toMatchObject({ parameterCount: parameters, input: { rowShape: [columns] }, standardised: false });
    });

    it('gives one logit a row in plain ONNX Runtime', async () => {
      const [columns] = SIZES[name]!;
      const results = await runOnce(bytes, { features: tensor(new Float32Array(2 * columns).fill(1), [2, columns]) });
      expect(results['logits']).toHaveLength(2);
    });
  });

it('the perceptron starts from weights spread as He et al. ask, the regression from zero', () => {
  const models = exampleModels();
  const first = initialParameters(readForwardModel(models.get('wdbc-mlp.onnx')!)).subarray(0, 480);
  const deviation = Math.sqrt(first.reduce((sum, w) => sum + w * w, 0) / 480);
  expect(deviation).toBeCloseTo(Math.sqrt(2 / 30), 1);
  expect(initialParameters(readForwardModel(models.get('heart-logreg.onnx')!)).every((w) => w === 0)).toBe(true);
});
