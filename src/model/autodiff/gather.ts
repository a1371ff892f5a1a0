// Gather, for example of embeddings: the gradient of each picked slice is added at the place it was picked from. With the gathered
// axis in front this is one scatter with addition, which counts repeated indices correctly.

import { numberOf, text } from '../graph/attribute.js';
import { elementCount, frontAxis } from '../graph/types.js';
import { noRecordGradient } from '../records/record-gradients.js';
import { AXIS, type OperatorRule } from './rule.js';

export const gather: OperatorRule = {
  operator: 'Gather',
  inputs: [2, 2],
  attributes: { axis: AXIS },
  selectingInputs: [1],
  backward: (tape, node, dy) => {
    const [x, indices] = [tape.input(node, 0), tape.input(node, 1)];
    const [shape, picked] = [tape.shape(x), tape.shape(indices)];
    const axis = frontAxis(numberOf(node, 'axis', 0), shape.length);
    if (tape.keepsRecords(x)) {
      if (axis !== 0) noRecordGradient(`Gather along another axis than the first (node ${node.name})`);
      tape.records?.addGathered(tape, x, indices, dy, tape.output(node));
      return;
    }
    const others = [...shape.keys()].filter((other) => other !== axis);
    const extents = others.map((other) => shape[other] ?? 1);
    const count = elementCount(picked);
    // dy has the axes of the indices where x has the gathered axis.
    const pickedAxes = picked.map((_, at) => axis + at);
    const rest = [...tape.shape(tape.output(node)).keys()].filter((at) => !pickedAxes.includes(at));
    const rows = tape.reshape(tape.transpose(dy, [...pickedAxes, ...rest]), [count, ...extents]);
    const zeros = tape.zeros([shape[axis] ?? 1, ...extents]);
    const places = tape.reshape(indices, [count, 1]);
    const sums = tape.emit('ScatterND', [zeros, places, rows], { reduction: text('add') });
    const order = [axis, ...others];
    tape.accumulate(
      x,
      tape.transpose(
        sums,
        [...shape.keys()].map((at) => order.indexOf(at)),
      ),
    );
  },
};
