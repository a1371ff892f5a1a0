// Slice with constant bounds: the gradient is surrounded by zeros, or, with steps, scattered to the positions it came from.

import { int } from '../graph/attribute.js';
import { elementCount, frontAxis, type GraphNode } from '../graph/types.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';

export const slice: OperatorRule = {
  operator: 'Slice',
  inputs: [3, 5],
  attributes: {},
  steeringInputs: [1, 2, 3, 4],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const margins = marginsOf(tape, node);
    tape.accumulate(x, margins === undefined ? scattered(tape, node, dy) : tape.pad(dy, margins.before, margins.after));
  },
};

/** What a slice leaves out before and after along each axis; undefined where it takes steps. */
export function marginsOf(
  tape: Tape,
  node: GraphNode,
): { readonly before: readonly number[]; readonly after: readonly number[] } | undefined {
  if ((tape.constantInts(node.inputs[4]) ?? []).some((step) => step !== 1)) return undefined;
  const shape = tape.shape(tape.input(node, 0));
  const begins = tape.constantInts(node.inputs[1]) ?? [];
  const axes = tape.constantInts(node.inputs[3]) ?? begins.map((_, at) => at);
  const before = shape.map(() => 0);
  const after = shape.map(() => 0);
  for (const [at, given] of axes.entries()) {
    const axis = frontAxis(given, shape.length);
    const extent = shape[axis] ?? 0;
    const begin = begins[at] ?? 0;
    const first = Math.min(Math.max(begin < 0 ? begin + extent : begin, 0), extent);
    before[axis] = first;
    after[axis] = extent - first - (tape.shape(tape.output(node))[axis] ?? 0);
  }
  return { before, after };
}

/** The same slice of a grid of positions says where each element came from. */
function scattered(tape: Tape, node: GraphNode, dy: string): string {
  const shape = tape.shape(tape.input(node, 0));
  const count = elementCount(shape);
  const data = BigInt64Array.from({ length: count }, (_, at) => BigInt(at));
  const grid = tape.builder.constant({ type: 'int64', shape, data });
  const origin = tape.emit('Slice', [grid, ...node.inputs.slice(1)]);
  const zeros = tape.zeros([count]);
  const places = [zeros, tape.reshape(origin, [-1]), tape.reshape(dy, [-1])];
  return tape.reshape(tape.emit('ScatterElements', places, { axis: int(0) }), shape);
}
