// Whatever bytes arrive, reading a model ends with a model or with an error of this room.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialParameters, ModelError, readForwardModel, withParameters } from '../../../src/model/index.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';

const MODEL = multiLayerPerceptron([3, 2, 1], 1);

/** 'accepted', or the code of the refusal; any other error fails the property. */
function outcome(bytes: Uint8Array): string {
  try {
    const model = readForwardModel(bytes);
    return withParameters(model, new Float32Array(model.parameterCount)).length > 0 ? 'accepted' : 'empty';
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
}

describe('reading a model', () => {
  it('survives any change of a few bytes', () => {
    const seen = new Set<string>();
    const change = fc.tuple(fc.nat(MODEL.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = MODEL.slice();
        for (const [at, value] of changes) bytes[at] = value;
        seen.add(outcome(bytes));
      }),
      { numRuns: 3000, seed: 1 },
    );
    // The changes reach all three ends, so the property looks at something.
    expect([...seen]).toEqual(expect.arrayContaining(['accepted', 'model/refused', 'model/not-onnx']));
  });

  it('survives being cut anywhere', () => {
    for (let length = 0; length < MODEL.length; length++) expect(outcome(MODEL.slice(0, length))).not.toBe('empty');
  });

  it('gives any finite parameters back bit for bit', () => {
    const model = readForwardModel(MODEL);
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    const vector = fc.array(value, { minLength: model.parameterCount, maxLength: model.parameterCount });
    fc.assert(
      fc.property(vector, (values) => {
        const parameters = Float32Array.from(values);
        const again = initialParameters(readForwardModel(withParameters(model, parameters)));
        expect(new Uint8Array(again.buffer)).toEqual(new Uint8Array(parameters.buffer));
      }),
    );
  });
});
