// Malformed files and bytes of operators and peers against their readers (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { readForwardModel } from '../../../src/model/index.js';
import { runTarget } from '../../fuzz/run.js';
import { onnxTarget } from '../../fuzz/targets/onnx.js';

const SEED = 77;

describe('the model importer', () => {
  it('refuses thousands of changed models with a ModelError, or agrees with itself about them', async () => {
    const { failure, ends } = await runTarget(onnxTarget(), { seed: SEED, inputs: 4000 });
    expect(failure).toBeUndefined();
    for (const code of ['accepted', 'model/not-onnx', 'model/refused']) expect(ends.get(code)).toBeGreaterThan(100);
  });

  it('is found out when it throws something else', async () => {
    const fragile: typeof readForwardModel = (bytes) => {
      const model = readForwardModel(bytes);
      if (model.parameters.length === 1) throw new RangeError('planted');
      return model;
    };
    const { failure } = await runTarget(onnxTarget(fragile), { seed: SEED, inputs: 4000 });
    expect(String(failure?.error)).toContain('RangeError: planted');
  });
});
