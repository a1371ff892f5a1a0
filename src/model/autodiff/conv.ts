// Conv in one, two or three dimensions, with strides, dilations, pads and groups. dX is a convolution with the turned kernel or a
// transposed convolution; dW is in conv-weight.ts; dB is a sum.

import { int, ints, numberOf } from '../graph/attribute.js';
import { accumulateWeight, type Convolution } from './conv-weight.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';
import { DILATIONS, leftOver, reach, WINDOW_ATTRIBUTES, windowOf } from './window.js';

/** ONNX's way to say "to the beginning" when slicing backwards. */
const BEFORE_FIRST = -(2 ** 31);

export const conv: OperatorRule = {
  operator: 'Conv',
  inputs: [2, 3],
  attributes: { ...WINDOW_ATTRIBUTES, dilations: DILATIONS, group: { kind: 'int', min: 1, max: 65_536 } },
  backward: (tape, node, dy) => {
    const [x, weight, bias] = [tape.input(node, 0), tape.input(node, 1), node.inputs[2]];
    const [inputShape, weightShape] = [tape.shape(x), tape.shape(weight)];
    const convolution: Convolution = {
      x,
      weight,
      dy,
      inputShape,
      weightShape,
      outputShape: tape.shape(tape.output(node)),
      group: numberOf(node, 'group', 1),
      window: windowOf(node, inputShape.slice(2), weightShape.slice(2)),
    };
    if (bias !== undefined && bias !== '' && tape.wants(bias)) {
      const axes = [...inputShape.keys()].slice(2);
      tape.accumulateSum(bias, dy, tape.output(node), axes);
    }
    if (tape.wants(weight)) accumulateWeight(tape, convolution, x);
    if (tape.wants(x)) tape.accumulate(x, inputGradient(tape, convolution));
  },
};

function inputGradient(tape: Tape, c: Convolution): string {
  const { kernel, strides, dilations, before, after } = c.window;
  const span = reach(c.window);
  const turned = span.every((extent, axis) => extent >= Math.max(before[axis] ?? 0, after[axis] ?? 0));
  if (c.group === 1 && turned && strides.every((stride) => stride === 1)) {
    // Measured faster than the transposed convolution: channels swapped, taps in reverse order, complementary pads.
    const axes = kernel.map((_, axis) => axis + 2);
    const swapped = tape.transpose(c.weight, [1, 0, ...axes]);
    const reversed = tape.slice(
      swapped,
      axes.map(() => -1),
      axes.map(() => BEFORE_FIRST),
      axes,
      axes.map(() => -1),
    );
    const pads = [before, after].flatMap((side) => side.map((pad, axis) => (span[axis] ?? 0) - pad));
    return tape.emit('Conv', [c.dy, reversed], {
      kernel_shape: ints(kernel),
      dilations: ints(dilations),
      pads: ints(pads),
    });
  }
  return tape.emit('ConvTranspose', [c.dy, c.weight], {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints([...before, ...after]),
    group: int(c.group),
    output_padding: ints(leftOver(c.window, c.inputShape.slice(2), c.outputShape.slice(2))),
  });
}
