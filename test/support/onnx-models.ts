// Small forward models as a data scientist would export them, built with the model room's own builder.

import { attributes, float32, GraphBuilder } from '../../src/model/index.js';

/** A repeatable source of numbers in [-1, 1): a 32-bit linear congruential generator, good enough for test weights. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function seededFloats(length: number, seed: number, scale = 1): Float32Array {
  const next = seededNumbers(seed);
  return Float32Array.from({ length }, () => next() * scale);
}

/** [batch, inputs] -> [batch, outputs] logits; weights zero unless a seed is given. */
export function logisticRegression(inputs: number, outputs = 1, seed?: number): Uint8Array {
  return multiLayerPerceptron([inputs, outputs], seed);
}

/** Gemm layers of the given widths with Relu between them; the last width is the number of logits. */
export function multiLayerPerceptron(widths: readonly number[], seed?: number, opset = 17): Uint8Array {
  const builder = new GraphBuilder(opset, '');
  let value = builder.input('x', 'float32', ['batch', widths[0]!]);
  for (let layer = 1; layer < widths.length; layer++) {
    const [from, to] = [widths[layer - 1]!, widths[layer]!];
    const weight =
      seed === undefined ? new Float32Array(from * to) : seededFloats(from * to, seed + layer, from ** -0.5);
    builder.initialiser(`layer${layer}.weight`, float32([to, from], weight));
    builder.initialiser(`layer${layer}.bias`, float32([to], new Float32Array(to)));
    const last = layer === widths.length - 1;
    const sum = last ? 'logits' : `layer${layer}.sum`;
    builder.emitNamed('Gemm', [value, `layer${layer}.weight`, `layer${layer}.bias`], [sum], {
      transB: attributes.int(1),
    });
    value = last ? sum : builder.emit('Relu', [sum]);
  }
  builder.output('logits', 'float32', ['batch', widths.at(-1)!]);
  return builder.bytes();
}

/** [batch, 1, 8, 8] -> convolution, Relu, pooling, Flatten, Gemm -> [batch, 1] logit: every kind of node of a small image model. */
export function smallConvolution(seed: number): Uint8Array {
  const builder = new GraphBuilder(17, '');
  builder.input('x', 'float32', ['batch', 1, 8, 8]);
  builder.initialiser('conv.weight', float32([4, 1, 3, 3], seededFloats(36, seed, 0.5)));
  builder.initialiser('conv.bias', float32([4], new Float32Array(4)));
  builder.initialiser('head.weight', float32([1, 64], seededFloats(64, seed + 1, 0.2)));
  builder.initialiser('head.bias', float32([1], new Float32Array(1)));
  const filtered = builder.emit('Conv', ['x', 'conv.weight', 'conv.bias'], { pads: attributes.ints([1, 1, 1, 1]) });
  const window = { kernel_shape: attributes.ints([2, 2]), strides: attributes.ints([2, 2]) };
  const pooled = builder.emit('MaxPool', [builder.emit('Relu', [filtered])], window);
  const flat = builder.emit('Flatten', [pooled]);
  builder.emitNamed('Gemm', [flat, 'head.weight', 'head.bias'], ['logits'], { transB: attributes.int(1) });
  builder.output('logits', 'float32', ['batch', 1]);
  return builder.bytes();
}
