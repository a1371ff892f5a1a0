// What exporters compute from parameters alone before a layer sees them: matrices turned over, gates put into another order. The
// gradients of records pass through such a node one record at a time; the operators that do it are few and move values only.

import { frontAxis, elementCount, type GraphNode } from '../graph/types.js';
import { integersOf, numberOf } from '../graph/attribute.js';
import type { Tape } from '../autodiff/tape.js';
import { marginsOf } from '../autodiff/slice.js';
import { noRecordGradient, type RecordGradients } from './record-gradients.js';

type Through = (tape: Tape, records: RecordGradients, node: GraphNode) => void;

const reshaped: Through = (tape, records, node) => {
  const input = tape.input(node, 0);
  const written = records.written(tape, tape.output(node));
  records.addWritten(input, tape.reshape(written, [records.batch, ...tape.shape(input)]));
};

const THROUGH: Readonly<Record<string, Through>> = {
  Identity: (tape, records, node) => {
    for (const one of records.of(tape.output(node))) records.add(tape.input(node, 0), one);
  },
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: (tape, records, node) => {
    const input = tape.input(node, 0);
    const axes = [...tape.shape(input).keys()];
    const permutation = integersOf(node, 'perm') ?? axes.toReversed();
    const back = axes.map((axis) => permutation.indexOf(axis) + 1);
    for (const one of records.of(tape.output(node)))
      if (one.kind === 'outer') records.add(input, { ...one, transposed: !one.transposed });
      else records.addWritten(input, tape.transpose(one.name, [0, ...back]));
  },
  Slice: (tape, records, node) => {
    const margins = marginsOf(tape, node);
    if (margins === undefined) noRecordGradient(`Slice of parameters with steps (node ${node.name})`);
    const written = records.written(tape, tape.output(node));
    records.addWritten(tape.input(node, 0), tape.pad(written, [0, ...margins.before], [0, ...margins.after]));
  },
  Concat: (tape, records, node) => {
    const output = tape.output(node);
    const written = records.written(tape, output);
    const axis = frontAxis(numberOf(node, 'axis', 0), tape.shape(output).length);
    let begin = 0;
    for (const part of node.inputs) {
      const end = begin + (tape.shape(part)[axis] ?? 0);
      if (tape.wants(part)) records.addWritten(part, tape.slice(written, [begin], [end], [axis + 1]));
      begin = end;
    }
  },
  Gather: (tape, records, node) => {
    const [table, indices] = [tape.input(node, 0), tape.input(node, 1)];
    const output = tape.output(node);
    const axis = frontAxis(numberOf(node, 'axis', 0), tape.shape(table).length);
    if (axis !== 0 || !records.isCommon(indices)) noRecordGradient(`Gather of parameters (node ${node.name})`);
    const count = elementCount(tape.shape(indices));
    const rows = tape.reshape(records.written(tape, output), [records.batch, count, ...tape.shape(table).slice(1)]);
    records.addGathered(tape, table, indices, rows, output);
  },
};

/** Hands what was found for the common output of `node` on to its inputs. */
export function passThrough(tape: Tape, records: RecordGradients, node: GraphNode): void {
  if (node.outputs.every((output) => records.of(output).length === 0)) return;
  const through = THROUGH[node.operator];
  if (through === undefined) noRecordGradient(`${node.operator} of parameters (node ${node.name})`);
  through(tape, records, node);
}
