// ConvTranspose and Resize: what U-Nets go up with.

import { attributes, float32, type GraphBuilder } from '../../../../src/model/index.js';
import type { AttributeList } from '../../../../src/model/graph/builder.js';
import type { NamedCase } from './case.js';

const { int, ints, text } = attributes;

const TRANSPOSED: readonly (readonly [string, number[], number[], number[], AttributeList])[] = [
  ['stride 2, kernel 2', [2, 3, 3, 4], [3, 2, 2, 2], [2, 2, 6, 8], { strides: ints([2, 2]) }],
  [
    'pads that differ, output padding',
    [2, 2, 3, 3],
    [2, 3, 3, 3],
    [2, 3, 5, 6],
    { strides: ints([2, 2]), pads: ints([1, 0, 1, 2]), output_padding: ints([0, 1]) },
  ],
  ['dilation and stride 1', [2, 2, 4], [2, 3, 3], [2, 3, 8], { dilations: ints([2]) }],
  ['groups', [2, 4, 3], [4, 1, 2], [2, 2, 4], { group: int(2) }],
  ['three dimensions', [1, 2, 2, 2, 2], [2, 1, 2, 2, 2], [1, 1, 3, 4, 3], { strides: ints([1, 2, 1]) }],
];

type Sizing = { readonly scales: readonly number[] } | { readonly sizes: readonly number[] };

const RESIZES: readonly (readonly [string, number[], number[], Sizing, AttributeList])[] = [
  [
    'nearest, twice as large',
    [1, 2, 3, 4],
    [1, 2, 6, 8],
    { scales: [1, 1, 2, 2] },
    { mode: text('nearest'), coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') },
  ],
  ['nearest, to odd sizes', [1, 2, 3, 4], [1, 2, 5, 7], { sizes: [1, 2, 5, 7] }, { mode: text('nearest') }],
  [
    'nearest, smaller',
    [1, 1, 7],
    [1, 1, 3],
    { sizes: [1, 1, 3] },
    { mode: text('nearest'), nearest_mode: text('ceil') },
  ],
  ['linear, half pixels', [1, 2, 3, 4], [1, 2, 6, 8], { scales: [1, 1, 2, 2] }, { mode: text('linear') }],
  [
    'linear, aligned corners, one axis only',
    [2, 2, 3, 4],
    [2, 2, 3, 7],
    { sizes: [2, 2, 3, 7] },
    { mode: text('linear'), coordinate_transformation_mode: text('align_corners') },
  ],
  [
    'linear, smaller by a fraction',
    [1, 1, 6, 5],
    [1, 1, 4, 3],
    { scales: [1, 1, 0.7, 0.7] },
    { mode: text('linear'), coordinate_transformation_mode: text('pytorch_half_pixel') },
  ],
  ['cubic', [1, 1, 4, 5], [1, 1, 8, 10], { scales: [1, 1, 2, 2] }, { mode: text('cubic') }],
];

const sized = (g: GraphBuilder, sizing: Sizing): readonly string[] =>
  'scales' in sizing
    ? ['', g.constant(float32([sizing.scales.length], sizing.scales))]
    : ['', '', g.ints(sizing.sizes)];

export const UPWARD: readonly NamedCase[] = [
  ...TRANSPOSED.map(
    ([name, input, weight, output, list]): NamedCase => ({
      operator: 'ConvTranspose',
      name,
      parameters: { v: input, weight, bias: [output[1]!] },
      output,
      emit: (g) => g.emit('ConvTranspose', ['v', 'weight', 'bias'], list),
    }),
  ),
  ...RESIZES.map(
    ([name, input, output, sizing, list]): NamedCase => ({
      operator: 'Resize',
      name,
      parameters: { v: input },
      output,
      emit: (g) => g.emit('Resize', ['v', ...sized(g, sizing)], list),
    }),
  ),
];
