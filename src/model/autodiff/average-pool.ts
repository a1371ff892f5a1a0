// AveragePool: each output's gradient is shared out among the inputs it averaged, by a transposed convolution with ones.

import { int, integersOf, ints, numberOf } from '../graph/attribute.js';
import { float32 } from '../graph/tensor.js';
import { elementCount } from '../graph/types.js';
import { FLAG, type OperatorRule } from './rule.js';
import { leftOver, WINDOW_ATTRIBUTES, windowOf, type Window } from './window.js';

export const averagePool: OperatorRule = {
  operator: 'AveragePool',
  inputs: [1, 1],
  attributes: {
    ...WINDOW_ATTRIBUTES,
    count_include_pad: FLAG,
    // Rounding up would average windows that hang over the edge, whose counts the runtime has changed between versions.
    ceil_mode: { kind: 'int', min: 0, max: 0 },
  },
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const shape = tape.shape(x);
    const [channels = 1, ...extents] = shape.slice(1);
    const outputs = tape.shape(tape.output(node)).slice(2);
    const window = windowOf(node, extents, integersOf(node, 'kernel_shape') ?? []);
    const includesPads = numberOf(node, 'count_include_pad', 0) === 1;
    const shares = outputShares(window, extents, outputs, includesPads);
    const share = tape.emit('Mul', [dy, tape.builder.constant(float32([1, 1, ...outputs], shares))]);
    const weight = tape.builder.constant(
      float32([channels, 1, ...window.kernel], new Float32Array(channels * elementCount(window.kernel)).fill(1)),
    );
    const gradient = tape.emit('ConvTranspose', [share, weight], {
      kernel_shape: ints(window.kernel),
      strides: ints(window.strides),
      pads: ints([...window.before, ...window.after]),
      group: int(channels),
      output_padding: ints(leftOver(window, extents, outputs)),
    });
    tape.accumulate(x, gradient);
  },
};

/** 1 / (number of inputs averaged) for each output position, row-major. */
function outputShares(
  { kernel, strides, before }: Window,
  extents: readonly number[],
  outputs: readonly number[],
  includesPads: boolean,
): readonly number[] {
  return outputs.reduce<readonly number[]>(
    (shares, count, axis) => {
      const along = Array.from({ length: count }, (_, at) => {
        const size = kernel[axis] ?? 1;
        const begin = at * (strides[axis] ?? 1) - (before[axis] ?? 0);
        return includesPads ? size : Math.min(begin + size, extents[axis] ?? 1) - Math.max(begin, 0);
      });
      return shares.flatMap((share) => along.map((averaged) => share / averaged));
    },
    [1],
  );
}
