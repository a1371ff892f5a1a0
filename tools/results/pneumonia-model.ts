// A small convolutional network for grey images of 28 by 28: two convolutions with pooling, two dense layers. He initialisation by a seed.

import { attributes, float32, GraphBuilder } from '../../src/model/index.js';
import { seededWords, seedBytes } from './random.js';

export const SIDE = 28;

export function convolutionalNetwork(seed: number): Uint8Array {
  const builder = new GraphBuilder(17, '');
  const words = seededWords(seedBytes('weights', seed));
  const layer = (name: string, shape: readonly number[]): [string, string] => {
    const [outputs = 1, ...inner] = shape;
    const fanIn = inner.reduce((product, extent) => product * extent, 1);
    const bound = Math.sqrt(6 / fanIn);
    const weight = Float32Array.from(words(outputs * fanIn), (word) => bound * (word / 2 ** 31 - 1));
    return [
      builder.initialiser(`${name}.weight`, float32([...shape], weight)),
      builder.initialiser(`${name}.bias`, float32([outputs], new Float32Array(outputs))),
    ];
  };
  const convolve = (value: string, name: string, from: number, to: number): string => {
    const sum = builder.emit('Conv', [value, ...layer(name, [to, from, 3, 3])], {
      kernel_shape: attributes.ints([3, 3]),
      pads: attributes.ints([1, 1, 1, 1]),
    });
    return builder.emit('MaxPool', [builder.emit('Relu', [sum])], {
      kernel_shape: attributes.ints([2, 2]),
      strides: attributes.ints([2, 2]),
    });
  };
  const dense = { transB: attributes.int(1) };
  const pixels = builder.input('pixels', 'float32', ['batch', 1, SIDE, SIDE]);
  const pooled = convolve(convolve(pixels, 'conv1', 1, 8), 'conv2', 8, 16);
  const flat = builder.emit('Flatten', [pooled], { axis: attributes.int(1) });
  const hidden = builder.emit('Relu', [builder.emit('Gemm', [flat, ...layer('dense1', [32, 16 * 49])], dense)]);
  builder.emitNamed('Gemm', [hidden, ...layer('dense2', [1, 32])], ['logit'], dense);
  builder.output('logit', 'float32', ['batch', 1]);
  return builder.bytes();
}
