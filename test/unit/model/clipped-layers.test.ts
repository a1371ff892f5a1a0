// Per-example clipping of the layers that the families of clipped.test.ts have not, or have only as exports decompose them: native
// normalisations, convolutions in all their attributes, and layers that are used twice. Each against single runs of the same rows.

import { describe, expect, it } from 'vitest';
import { attributes, float32, GraphBuilder, initialParameters, readForwardModel } from '../../../src/model/index.js';
import { sameAsSingleRuns } from '../../support/clipping.js';
import { seededFloats } from '../../support/onnx-models.js';

const { float, int, ints } = attributes;
const ROWS = 5;
type Layer = (g: GraphBuilder, x: string) => string;

interface Case {
  readonly name: string;
  /** Of one row. */
  readonly input: readonly number[];
  /** Values of one row behind the layer. */
  readonly out: number;
  readonly opset?: number;
  readonly layer: Layer;
}

/** A layer under a head of one logit. Scales and biases are not those of a fresh model, whose zeros would hide what is wrong. */
function modelOf({ input, out, opset = 17, layer }: Case): Uint8Array {
  const g = new GraphBuilder(opset, '');
  g.input('x', 'float32', ['batch', ...input]);
  const flat = g.emit('Flatten', [layer(g, 'x')]);
  g.initialiser('head.weight', float32([1, out], seededFloats(out, 5, 0.6)));
  g.initialiser('head.bias', float32([1], seededFloats(1, 6)));
  g.emitNamed('Gemm', [flat, 'head.weight', 'head.bias'], ['logits'], { transB: int(1) });
  g.output('logits', 'float32', ['batch', 1]);
  return g.bytes();
}

function weight(g: GraphBuilder, name: string, shape: readonly number[], seed: number): string {
  return g.initialiser(
    name,
    float32(
      [...shape],
      seededFloats(
        shape.reduce((a, b) => a * b, 1),
        seed,
        0.7,
      ),
    ),
  );
}

const convolution =
  (
    operator: 'Conv' | 'ConvTranspose',
    shape: number[],
    biases: number,
    list: Parameters<GraphBuilder['emit']>[2],
  ): Layer =>
  (g, x) =>
    g.emit(operator, [x, weight(g, 'conv.weight', shape, 1), weight(g, 'conv.bias', [biases], 2)], list);

const normalisation =
  (operator: string, length: number, list: Parameters<GraphBuilder['emit']>[2]): Layer =>
  (g, x) =>
    g.emit('Relu', [
      g.emit(operator, [x, weight(g, 'norm.scale', [length], 3), weight(g, 'norm.bias', [length], 4)], list),
    ]);

const CASES: readonly Case[] = [
  {
    // Over the last axis alone a bias of the convolution would have a gradient of zero.
    name: 'LayerNormalization over everything of a row, behind a convolution',
    input: [3, 4, 4],
    out: 4 * 4 * 4,
    layer: (g, x) => {
      const made = convolution('Conv', [4, 3, 3, 3], 4, { pads: ints([1, 1, 1, 1]) })(g, x);
      const [scale, bias] = [weight(g, 'norm.scale', [4, 4, 4], 3), weight(g, 'norm.bias', [4, 4, 4], 4)];
      return g.emit('LayerNormalization', [made, scale, bias], { axis: int(1), epsilon: float(1e-3) });
    },
  },
  {
    name: 'LayerNormalization over two axes, scale and bias of their shape',
    input: [3, 4, 2],
    out: 24,
    layer: (g, x) =>
      g.emit('LayerNormalization', [x, weight(g, 'norm.scale', [4, 2], 3), weight(g, 'norm.bias', [4, 2], 4)], {
        axis: int(2),
      }),
  },
  ...[
    [18, 2],
    [21, 6],
  ].map(
    ([opset = 0, count = 0]): Case => ({
      name: `GroupNormalization of operator set ${opset}, scale and bias of ${count}`,
      input: [6, 3, 2],
      out: 36,
      opset,
      layer: normalisation('GroupNormalization', count, { num_groups: int(2), epsilon: float(1e-3) }),
    }),
  ),
  {
    name: 'InstanceNormalization',
    input: [3, 4, 3],
    out: 36,
    layer: normalisation('InstanceNormalization', 3, { epsilon: float(1e-3) }),
  },
  {
    name: 'Conv with strides 2 and 3 and pads that differ',
    input: [2, 7, 8],
    out: 3 * 4 * 3,
    layer: convolution('Conv', [3, 2, 3, 2], 3, { strides: ints([2, 3]), pads: ints([1, 0, 1, 1]) }),
  },
  {
    name: 'Conv in two groups, dilated',
    input: [4, 6, 6],
    out: 6 * 2 * 4,
    layer: convolution('Conv', [6, 2, 3, 3], 6, { group: int(2), dilations: ints([2, 1]) }),
  },
  {
    name: 'Conv depthwise, two filters a channel, strided',
    input: [3, 5, 5],
    out: 6 * 2 * 2,
    layer: convolution('Conv', [6, 1, 3, 3], 6, { group: int(3), strides: ints([2, 2]) }),
  },
  {
    name: 'Conv of one dimension, strided, in groups',
    input: [4, 9],
    out: 4 * 4,
    layer: convolution('Conv', [4, 2, 3], 4, { group: int(2), strides: ints([2]) }),
  },
  {
    name: 'ConvTranspose with stride 2, pads and output padding',
    input: [3, 3, 4],
    out: 2 * 6 * 8,
    layer: convolution('ConvTranspose', [3, 2, 3, 3], 2, {
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      output_padding: ints([1, 1]),
    }),
  },
  {
    name: 'ConvTranspose in two groups, dilated',
    input: [4, 3, 3],
    out: 4 * 5 * 7,
    layer: convolution('ConvTranspose', [4, 2, 2, 3], 4, { group: int(2), dilations: ints([2, 2]) }),
  },
  {
    name: 'Gemm twice with the same weight, whose norm is not the sum of two',
    input: [4],
    out: 4,
    layer: (g, x) => {
      const [shared, bias] = [weight(g, 'shared.weight', [4, 4], 1), weight(g, 'shared.bias', [4], 2)];
      const twice = (value: string): string => g.emit('Tanh', [g.emit('Gemm', [value, shared, bias])]);
      return twice(twice(x));
    },
  },
];

describe('norms and clipped sums equal those of single runs to 1e-5', () => {
  for (const one of CASES)
    it(one.name, async () => {
      const bytes = modelOf(one);
      const length = one.input.reduce((a, b) => a * b, 1);
      const features = seededFloats(ROWS * length, 11, 2);
      // Rows that differ in size, so that some gradients are cut and some are not.
      features.forEach((value, i) => (features[i] = value * (1 + Math.floor(i / length))));
      const { writtenOut } = await sameAsSingleRuns({
        bytes,
        loss: 'binary-cross-entropy',
        parameters: initialParameters(readForwardModel(bytes)),
        features,
        targets: [1, 0, 0, 1, 1],
        weights: [1, 1, 0.5, 1, 2],
      });
      expect(writtenOut).toBeGreaterThan(0);
    });
});
