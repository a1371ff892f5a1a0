// ConvTranspose is the input gradient of a convolution, so its own input gradient is that convolution, and its weight gradient is the
// convolution's with input and output gradient exchanged.

import { int, ints, numberOf } from '../graph/attribute.js';
import { accumulateWeight } from './conv-weight.js';
import type { OperatorRule } from './rule.js';
import { DILATIONS, WINDOW_ATTRIBUTES, windowOf } from './window.js';

export const convTranspose: OperatorRule = {
  operator: 'ConvTranspose',
  inputs: [2, 3],
  attributes: {
    ...WINDOW_ATTRIBUTES,
    // The padding is said by `pads`: what auto_pad and output_shape make of it differs between versions of the operator.
    auto_pad: { kind: 'string', oneOf: ['NOTSET'] },
    output_padding: { kind: 'ints', min: 0, max: 1024 },
    dilations: DILATIONS,
    group: { kind: 'int', min: 1, max: 65_536 },
  },
  backward: (tape, node, dy) => {
    const [x, weight, bias = ''] = [tape.input(node, 0), tape.input(node, 1), node.inputs[2]];
    const [inputShape, weightShape] = [tape.shape(x), tape.shape(weight)];
    const outputShape = tape.shape(tape.output(node));
    const group = numberOf(node, 'group', 1);
    const window = windowOf(node, outputShape.slice(2), weightShape.slice(2));
    if (bias !== '' && tape.wants(bias)) {
      const axes = [...outputShape.keys()].slice(2);
      tape.accumulateSum(bias, dy, tape.output(node), axes);
    }
    if (tape.wants(weight))
      accumulateWeight(
        tape,
        {
          x: dy,
          weight,
          dy: x,
          inputShape: outputShape,
          weightShape,
          outputShape: inputShape,
          group,
          window,
        },
        x,
      );
    if (!tape.wants(x)) return;
    const full = tape.emit('Conv', [dy, weight], {
      kernel_shape: ints(window.kernel),
      strides: ints(window.strides),
      pads: ints([...window.before, ...window.after]),
      dilations: ints(window.dilations),
      group: int(group),
    });
    // An output padding of a stride or more lets the convolution see places that no input reached.
    const axes = [...inputShape.keys()].slice(2);
    const extents = inputShape.slice(2);
    tape.accumulate(
      x,
      tape.slice(
        full,
        axes.map(() => 0),
        extents,
        axes,
      ),
    );
  },
};
