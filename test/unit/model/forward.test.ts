// Reading a forward model, its flat parameters, and writing it back.

import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  attributes,
  float32,
  GraphBuilder,
  initialParameters,
  readForwardModel,
  withParameters,
} from '../../../src/model/index.js';
import { ModelProto } from '../../../src/model/gen/onnx/onnx.js';
import { multiLayerPerceptron, seededFloats } from '../../support/onnx-models.js';
import { LOSSES } from '../../../src/model/index.js';
import { runOnce, stepGraphs, tensor } from '../../support/onnx-run.js';
import { operateOn } from '../../support/onnx-surgery.js';

const MODEL = multiLayerPerceptron([4, 3, 1], 1);

/** x * w1, then the same weight again under an alias. */
function sharedWeights(): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', 2]);
  builder.initialiser('unused', float32([5], [1, 2, 3, 4, 5]));
  builder.initialiser('w', float32([2, 2], [1, 2, 3, 4]));
  builder.initialiser('half', float32([], [0.5]));
  const alias = builder.emit('Identity', [builder.emit('Identity', ['w'])]);
  const once = builder.emit('MatMul', ['x', 'w']);
  const twice = builder.emit('MatMul', [builder.emit('Tanh', [once]), alias]);
  builder.emitNamed('Mul', [twice, 'half'], ['y']);
  builder.output('y', 'float32', ['batch', 2]);
  return builder.bytes();
}

describe('the forward model', () => {
  it('lays parameters out in the order of the initialisers', () => {
    const model = readForwardModel(MODEL);
    expect(model.parameters).toEqual([
      { name: 'layer1.weight', shape: [3, 4], offset: 0, length: 12 },
      { name: 'layer1.bias', shape: [3], offset: 12, length: 3 },
      { name: 'layer2.weight', shape: [1, 3], offset: 15, length: 3 },
      { name: 'layer2.bias', shape: [1], offset: 18, length: 1 },
    ]);
    expect(model).toMatchObject({
      parameterCount: 19,
      input: { name: 'x', rowShape: [4] },
      output: { name: 'logits' },
    });
  });

  it('counts a weight that two layers share once, and neither scalars nor unused initialisers', () => {
    const model = readForwardModel(sharedWeights());
    expect(model.parameters.map(({ name }) => name)).toEqual(['w']);
    expect([...initialParameters(model)]).toEqual([1, 2, 3, 4]);
  });

  it('adds up the gradient of a shared weight over its uses', async () => {
    const { training } = await stepGraphs(readForwardModel(sharedWeights()), 2, LOSSES['squared-error']);
    expect(training.gradients).toEqual(['veilsum.gradient.w']);
  });

  it('reads values that are not raw bytes as the same parameters', () => {
    const typed = operateOn(MODEL, (m) => {
      for (const entry of m.graph.initializer) {
        const raw = new Uint8Array(entry.rawData);
        entry.floatData = [...new Float32Array(raw.buffer)];
        entry.rawData = new Uint8Array(0);
      }
    });
    expect(initialParameters(readForwardModel(typed))).toEqual(initialParameters(readForwardModel(MODEL)));
  });

  it('takes initialisers that are listed as inputs for initialisers', () => {
    const old = operateOn(MODEL, (m) => m.graph.input.push({ name: 'layer1.weight', type: undefined, docString: '' }));
    expect(readForwardModel(old).parameterCount).toBe(19);
  });

  it('refuses an initial parameter that is not finite', () => {
    const bytes = operateOn(MODEL, (m) => {
      new DataView(m.graph.initializer[0]!.rawData.buffer, m.graph.initializer[0]!.rawData.byteOffset).setFloat32(
        0,
        Number.NaN,
        true,
      );
    });
    expect(() => initialParameters(readForwardModel(bytes))).toThrow(/parameter 0 is not finite/);
  });
});

describe('withParameters', () => {
  const model = readForwardModel(MODEL);

  it('gives back exactly the parameters that were put in', () => {
    const parameters = seededFloats(19, 42);
    expect(initialParameters(readForwardModel(withParameters(model, parameters)))).toEqual(parameters);
  });

  it('reproduces the file when the parameters are its own', () => {
    expect(withParameters(model, initialParameters(model))).toEqual(MODEL);
  });

  it('writes a file that plain ONNX Runtime opens and that computes with the new parameters', async () => {
    const parameters = new Float32Array(19);
    // All weights zero, so the answer is the last bias.
    parameters[18] = 2.5;
    const results = await runOnce(withParameters(model, parameters), { x: tensor([1, 2, 3, 4], [1, 4]) });
    expect([...results['logits']!]).toEqual([2.5]);
  });

  it('keeps what it does not understand: documentation, metadata, unknown fields', () => {
    const described = operateOn(MODEL, (m) => {
      m.metadataProps.push({ key: 'author', value: 'ward 3' });
      m.graph.initializer[0]!.docString = 'first layer';
      m._unknownFields = { [(99 << 3) | 0]: [Uint8Array.of(5)] };
    });
    const again = ModelProto.decode(withParameters(readForwardModel(described), new Float32Array(19)));
    expect(again.metadataProps).toMatchObject([{ key: 'author', value: 'ward 3' }]);
    expect(again.graph?.initializer[0]?.docString).toBe('first layer');
    expect(Object.keys(again._unknownFields ?? {})).toEqual([String(99 << 3)]);
  });

  it('refuses a vector of another length', () => {
    expect(() => withParameters(model, new Float32Array(18))).toThrow(/18 parameters where the model has 19/);
  });

  it('refuses a value that is not finite', () => {
    expect(() => withParameters(model, new Float32Array(19).fill(Infinity))).toThrow(/parameter 0 is not finite/);
  });
});

describe('the emitted graphs', () => {
  it('are equal byte for byte when they are built twice', async () => {
    const first = await stepGraphs(readForwardModel(MODEL), 4, LOSSES['binary-cross-entropy']);
    const second = await stepGraphs(readForwardModel(MODEL), 4, LOSSES['binary-cross-entropy']);
    expect(second.training.bytes).toEqual(first.training.bytes);
    expect(second.evaluation.bytes).toEqual(first.evaluation.bytes);
  });

  it('use operator set 17 for an older model and the model’s own for a newer one', async () => {
    for (const [opset, emitted] of [
      [13, 17n],
      [17, 17n],
      [21, 21n],
    ] as const) {
      const model = readForwardModel(multiLayerPerceptron([4, 3, 1], 1, opset));
      const { training } = await stepGraphs(model, 2, LOSSES['squared-error']);
      expect(ModelProto.decode(training.bytes).opsetImport[0]?.version).toBe(emitted);
    }
  });

  it('never give out the input: every output is the loss or a gradient with a parameter’s shape', async () => {
    const { training } = await stepGraphs(readForwardModel(MODEL), 4, LOSSES['binary-cross-entropy']);
    const session = await ort.InferenceSession.create(training.bytes, { logSeverityLevel: 4 });
    expect(session.outputNames).toEqual(['veilsum.loss', ...training.gradients]);
    await session.release();
  });

  it('refuse a model whose output does not keep the batch axis', async () => {
    const builder = new GraphBuilder(17, '');
    builder.input('x', 'float32', ['batch', 2]);
    builder.initialiser('w', float32([2], [1, 2]));
    builder.emitNamed('Flatten', [builder.emit('Mul', ['x', 'w'])], ['y'], { axis: attributes.int(0) });
    builder.output('y');
    const model = readForwardModel(builder.bytes());
    await expect(stepGraphs(model, 3, LOSSES['squared-error'])).rejects.toMatchObject({ code: 'model/bad-shape' });
  });
});
