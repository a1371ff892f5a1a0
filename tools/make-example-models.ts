// Writes the forward models of the demo and the examples: `node dist/tools/make-example-models.js [folder]`. The bytes depend on
// nothing but this file, and a test regenerates them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { attributes, float32, GraphBuilder } from '../src/model/index.js';

interface Layer {
  readonly from: number;
  readonly to: number;
  /** Row-major [to, from]. */
  readonly weight: Float32Array;
}

/** Gemm layers with Relu between them; the last gives the logits. Named as a PyTorch export would name them. */
function perceptron(layers: readonly Layer[]): Uint8Array {
  const builder = new GraphBuilder(17, '');
  const [first] = layers;
  const last = layers.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('a model needs a layer');
  let value = builder.input('features', 'float32', ['batch', first.from]);
  for (const [at, { from, to, weight }] of layers.entries()) {
    const stem = `layer${String(at + 1)}`;
    const parameters = [
      builder.initialiser(`${stem}.weight`, float32([to, from], weight)),
      builder.initialiser(`${stem}.bias`, float32([to], new Float32Array(to))),
    ];
    const output = at === layers.length - 1 ? 'logits' : `${stem}.sum`;
    builder.emitNamed('Gemm', [value, ...parameters], [output], { transB: attributes.int(1) });
    value = output;
    if (output === 'logits') break;
    value = `${stem}.relu`;
    builder.emitNamed('Relu', [output], [value]);
  }
  builder.output('logits', 'float32', ['batch', last.to]);
  return builder.bytes();
}

/** He initialisation: standard deviation sqrt(2 / from), here uniform on +-sqrt(6 / from), which has that deviation. */
function heLayer(from: number, to: number, next: () => number): Layer {
  const bound = Math.sqrt(6 / from);
  return { from, to, weight: Float32Array.from({ length: from * to }, () => bound * next()) };
}

/** Numbers in [-1, 1) by a 32-bit linear congruential generator (Numerical Recipes): initial weights need no better. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** File name and bytes of each example model. */
export function exampleModels(): ReadonlyMap<string, Uint8Array> {
  const next = seeded(20_240_229);
  return new Map([
    // 30 measurements of cell nuclei -> 16 -> logit of "malignant".
    ['wdbc-mlp.onnx', perceptron([heLayer(30, 16, next), heLayer(16, 1, next)])],
    // 13 features of a cardiac patient -> logit of "disease"; a convex problem, so it starts from zero.
    ['heart-logreg.onnx', perceptron([{ from: 13, to: 1, weight: new Float32Array(13) }])],
  ]);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = process.argv[2] ?? join('examples', 'models');
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of exampleModels()) {
    writeFileSync(join(folder, name), bytes);
    console.log(`${join(folder, name)}: ${String(bytes.length)} bytes`);
  }
}
