// A forward model with about as many parameters as a load test asks for, and a trainer that only pretends to have trained it.

import type { LocalWork } from '../../silo-agent/contribute.js';
import { attributes, float32, GraphBuilder } from '../../src/model/index.js';

/** Columns of the invented records. */
export const FEATURES = 100;

/** Gemm, Relu, Gemm with one output: (FEATURES + 2) hidden + 1 parameters, the largest such number that is at most `dimension`. */
export function modelOf(dimension: number): { readonly onnx: Uint8Array; readonly parameters: number } {
  const hidden = Math.max(1, Math.floor((dimension - 1) / (FEATURES + 2)));
  const builder = new GraphBuilder(17, '');
  const features = builder.input('features', 'float32', ['batch', FEATURES]);
  const tensor = (name: string, ...shape: number[]): string =>
    builder.initialiser(
      name,
      float32(
        shape,
        new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => ((i % 7) - 3) / 100),
      ),
    );
  builder.emitNamed(
    'Gemm',
    [features, tensor('first.weight', hidden, FEATURES), tensor('first.bias', hidden)],
    ['sum'],
    {
      transB: attributes.int(1),
    },
  );
  builder.emitNamed('Relu', ['sum'], ['active']);
  builder.emitNamed('Gemm', ['active', tensor('last.weight', 1, hidden), tensor('last.bias', 1)], ['logits'], {
    transB: attributes.int(1),
  });
  builder.output('logits', 'float32', ['batch', 1]);
  return { onnx: builder.bytes(), parameters: (FEATURES + 2) * hidden + 1 };
}

/** Rows of each silo's invented records. */
export const ROWS = 100;
/** Largest change of one parameter; small enough that no clip cuts it. */
const CHANGE = 2 ** -20;

/** Everything but learning is real: what this returns is clipped, quantised, sealed, masked and verified like any other update. */
export function inventedWork(silo: string): LocalWork {
  let state = 0;
  for (const letter of silo) state = (Math.imul(state, 31) + letter.charCodeAt(0)) >>> 0;
  const changed = (parameters: Float32Array): Float32Array => {
    const next = new Float32Array(parameters.length);
    for (let i = 0; i < next.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      next[i] = (parameters[i] ?? 0) + (state / 2 ** 31) * CHANGE;
    }
    return next;
  };
  return {
    readDataSet: () =>
      Promise.resolve({
        rows: ROWS,
        columns: FEATURES,
        features: new Float32Array(ROWS * FEATURES),
        targets: Float32Array.from({ length: ROWS }, (_, k) => k % 2),
        droppedRows: 0,
        version: `invented ${silo}`,
      }),
    createTrainer: () =>
      Promise.resolve({
        train: ({ parameters }) => Promise.resolve({ parameters: changed(parameters), steps: 1, meanLoss: 0 }),
        evaluate: () => Promise.reject(new Error('a load test holds no records back')),
        close: () => Promise.resolve(),
      }),
  };
}
