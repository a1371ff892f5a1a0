// Convolutions and pools in one to three dimensions: strides, dilations, groups, pads on one side, sizes that do not divide.

import { attributes } from '../../../../src/model/index.js';
import type { AttributeList } from '../../../../src/model/graph/builder.js';
import { distinctValues } from '../../../support/gradient-check.js';
import type { NamedCase } from './case.js';

const { int, ints, text } = attributes;

const CONVOLUTIONS: readonly (readonly [string, number[], number[], number[], AttributeList])[] = [
  ['pads', [2, 3, 5, 5], [4, 3, 3, 3], [2, 4, 5, 5], { pads: ints([1, 1, 1, 1]) }],
  ['no pads', [2, 2, 5, 4], [3, 2, 3, 2], [2, 3, 3, 3], {}],
  ['a pad wider than the kernel reaches', [1, 2, 3, 3], [2, 2, 2, 2], [1, 2, 6, 6], { pads: ints([2, 2, 2, 2]) }],
  [
    'stride two on an even size',
    [2, 3, 6, 7],
    [4, 3, 3, 3],
    [2, 4, 3, 4],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
  ],
  [
    'dilation, stride and pads on one side',
    [2, 2, 9, 8],
    [3, 2, 3, 2],
    [2, 3, 4, 7],
    { pads: ints([1, 0, 2, 1]), strides: ints([2, 1]), dilations: ints([2, 2]) },
  ],
  [
    'dilation and pads on one side',
    [2, 2, 9, 8],
    [3, 2, 3, 2],
    [2, 3, 8, 7],
    { pads: ints([1, 0, 2, 1]), dilations: ints([2, 2]) },
  ],
  ['two groups', [2, 4, 5, 5], [6, 2, 3, 3], [2, 6, 5, 5], { group: int(2), pads: ints([1, 1, 1, 1]) }],
  ['two groups with stride', [2, 4, 5, 5], [6, 2, 3, 3], [2, 6, 2, 2], { group: int(2), strides: ints([2, 2]) }],
  ['depthwise', [2, 4, 5, 5], [4, 1, 3, 3], [2, 4, 3, 3], { group: int(4) }],
  ['a kernel of one', [2, 3, 4, 4], [5, 3, 1, 1], [2, 5, 4, 4], {}],
  [
    'one dimension, long kernel, stride two',
    [2, 3, 15],
    [4, 3, 7],
    [2, 4, 8],
    { pads: ints([3, 3]), strides: ints([2]) },
  ],
  ['one dimension, more taps than products pay for', [1, 1, 140], [2, 1, 130], [1, 2, 11], {}],
  ['three dimensions', [1, 2, 4, 4, 4], [2, 2, 3, 3, 3], [1, 2, 4, 4, 4], { pads: ints([1, 1, 1, 1, 1, 1]) }],
  ['the same size by an odd pad after', [2, 2, 5, 6], [3, 2, 2, 4], [2, 3, 5, 6], { auto_pad: text('SAME_UPPER') }],
  ['the same size by an odd pad before', [2, 2, 5, 6], [3, 2, 2, 4], [2, 3, 5, 6], { auto_pad: text('SAME_LOWER') }],
  [
    'the same size with stride',
    [2, 2, 5, 6],
    [3, 2, 3, 3],
    [2, 3, 3, 3],
    { auto_pad: text('SAME_UPPER'), strides: ints([2, 2]) },
  ],
  ['valid', [2, 2, 5, 6], [3, 2, 3, 3], [2, 3, 3, 4], { auto_pad: text('VALID') }],
];

const MAX_POOLS: readonly (readonly [string, number[], number[], AttributeList])[] = [
  ['windows side by side', [2, 2, 4, 6], [2, 2, 2, 3], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ['an odd size', [2, 2, 5, 5], [2, 2, 2, 2], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ['gaps between windows', [2, 2, 7], [2, 2, 2], { kernel_shape: ints([2]), strides: ints([4]) }],
  [
    'overlap and pads',
    [2, 2, 5, 5],
    [2, 2, 3, 3],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  ['one dimension with overlap', [2, 2, 9], [2, 2, 4], { kernel_shape: ints([3]), strides: ints([2]) }],
  ['no strides, which means one', [2, 1, 5], [2, 1, 3], { kernel_shape: ints([3]) }],
  ['dilation', [2, 1, 9], [2, 1, 3], { kernel_shape: ints([2]), dilations: ints([3]), strides: ints([2]) }],
  ['a window over the edge', [2, 1, 5], [2, 1, 3], { kernel_shape: ints([2]), strides: ints([2]), ceil_mode: int(1) }],
];

const AVERAGE_POOLS: readonly (readonly [string, number[], number[], AttributeList])[] = [
  ['windows side by side', [2, 2, 4, 6], [2, 2, 2, 3], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  [
    'pads that do not count',
    [2, 2, 6, 5],
    [2, 2, 3, 3],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  [
    'pads that count',
    [2, 2, 6, 5],
    [2, 2, 3, 3],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), count_include_pad: int(1) },
  ],
  ['one dimension with a rest', [2, 2, 11], [2, 2, 3], { kernel_shape: ints([4]), strides: ints([3]) }],
  ['the same size', [2, 2, 5], [2, 2, 5], { kernel_shape: ints([2]), auto_pad: text('SAME_UPPER') }],
];

export const CONVOLUTION: readonly NamedCase[] = [
  ...CONVOLUTIONS.map(
    ([name, input, weight, output, list]): NamedCase => ({
      operator: 'Conv',
      name,
      parameters: { v: input, weight, bias: [weight[0]!] },
      output,
      emit: (g) => g.emit('Conv', ['v', 'weight', 'bias'], list),
    }),
  ),
  {
    operator: 'Conv',
    name: 'without bias',
    parameters: { v: [2, 2, 5], weight: [3, 2, 3] },
    output: [2, 3, 3],
    emit: (g) => g.emit('Conv', ['v', 'weight']),
  },
  ...MAX_POOLS.map(
    ([name, input, output, list]): NamedCase => ({
      operator: 'MaxPool',
      name,
      parameters: { v: [input, distinctValues(input.reduce((a, b) => a * b))] },
      output,
      emit: (g) => g.emit('MaxPool', ['v'], list),
    }),
  ),
  ...AVERAGE_POOLS.map(
    ([name, input, output, list]): NamedCase => ({
      operator: 'AveragePool',
      name,
      parameters: { v: input },
      output,
      emit: (g) => g.emit('AveragePool', ['v'], list),
    }),
  ),
];
