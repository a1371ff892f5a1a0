// What only shows when shapes are known: each refusal names its node.

import { describe, expect, it } from 'vitest';
import { float32, GraphBuilder, LOSSES, readForwardModel } from '../../../src/model/index.js';
import { stepGraphs } from '../../support/onnx-run.js';

function modelOf(emit: (builder: GraphBuilder) => void): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', 3]);
  builder.initialiser('vector', float32([3], [1, 2, 3]));
  emit(builder);
  builder.output('y');
  return builder.bytes();
}

async function refusal(bytes: Uint8Array): Promise<unknown> {
  return stepGraphs(readForwardModel(bytes), 2, LOSSES['squared-error']).catch((error: unknown) => error);
}

describe('a model is refused when shapes are known and', () => {
  it('it multiplies a matrix by a vector', async () => {
    const bytes = modelOf((b) => {
      b.emitNamed('MatMul', ['x', 'vector'], ['y']);
    });
    expect(await refusal(bytes)).toMatchObject({
      code: 'model/refused',
      message: 'no gradient for MatMul of a vector (node MatMul#0)',
    });
  });

  it('it raises to several powers at once', async () => {
    const bytes = modelOf((b) => {
      const scaled = b.emit('Mul', ['x', 'vector']);
      b.emitNamed('Pow', [scaled, b.constant(float32([3], [1, 2, 3]))], ['y']);
    });
    expect(await refusal(bytes)).toMatchObject({
      code: 'model/refused',
      message: 'no gradient for Pow by a tensor of exponents (node Pow#1)',
    });
  });

  it('an axis is given as a fraction', async () => {
    const bytes = modelOf((b) => {
      const scaled = b.emit('Mul', ['x', 'vector']);
      b.initialiser('axis', float32([1], [0.5]));
      b.emitNamed('ReduceSum', [scaled, 'axis'], ['y']);
    });
    // ONNX Runtime refuses the type before the rule is asked.
    expect(await refusal(bytes)).toBeInstanceOf(Error);
  });
});

describe('a parameter is refused that', () => {
  it('also serves as a setting of an operator', () => {
    const bytes = modelOf((b) => {
      b.emitNamed('Clip', [b.emit('Mul', ['x', 'vector']), 'vector'], ['y']);
    });
    expect(() => readForwardModel(bytes)).toThrow(
      /serves as a parameter and as a setting of an operator \(initialiser vector\)/,
    );
  });
});
