// MaxPool: the gradient goes to the position that held the maximum, the first one, row by row, where several do (as in PyTorch). The
// forward node keeps its fast form; its indices are computed again here. Doing without them, by comparing the input with the maximum
// repeated over its window, was slower for every shape tried, so the indices stay.

import { defined } from '../../base/index.js';
import { int, integersOf, ints, numberOf, text } from '../graph/attribute.js';
import { elementCount } from '../graph/types.js';
import type { OperatorRule } from './rule.js';
import { CEIL_MODE, DILATIONS, WINDOW_ATTRIBUTES, windowOf } from './window.js';

export const maxPool: OperatorRule = {
  operator: 'MaxPool',
  inputs: [1, 1],
  attributes: {
    ...WINDOW_ATTRIBUTES,
    dilations: DILATIONS,
    ceil_mode: CEIL_MODE,
    storage_order: { kind: 'int', min: 0, max: 0 },
  },
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const shape = tape.shape(x);
    const window = windowOf(node, shape.slice(2), integersOf(node, 'kernel_shape') ?? []);
    const { kernel, strides, dilations, before, after } = window;
    const [, indices] = tape.builder.emitMany('MaxPool', [x], 2, Object.fromEntries(node.attributes));
    const taken = defined(indices, 'the indices of a MaxPool');
    const apart = kernel.every((size, axis) => size <= (strides[axis] ?? 1) && dilations[axis] === 1);
    const unpadded = [...before, ...after].every((pad) => pad === 0) && numberOf(node, 'ceil_mode', 0) === 0;
    if (apart && unpadded) {
      const attributes = { kernel_shape: ints(kernel), strides: ints(strides) };
      tape.accumulate(x, tape.emit('MaxUnpool', [dy, taken, tape.builder.ints(shape)], attributes));
      return;
    }
    // Windows overlap, so one position can win several times; the indices count through the whole tensor.
    const flat = tape.zeros([elementCount(shape)]);
    const sums = tape.emit('ScatterElements', [flat, tape.reshape(taken, [-1]), tape.reshape(dy, [-1])], {
      axis: int(0),
      reduction: text('add'),
    });
    tape.accumulate(x, tape.reshape(sums, shape));
  },
};
