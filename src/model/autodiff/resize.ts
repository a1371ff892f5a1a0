// Resize is a linear map along each axis by itself, whatever the mode. The runtime's own Resize of a unit matrix is that map, so no
// formula for coordinates stands here: the gradient is multiplied by it axis by axis. The unit matrices are constants, and the runtime
// computes their Resize once, when it opens the graph.

import { float32 } from '../graph/tensor.js';
import type { OperatorRule } from './rule.js';
import type { Tape } from './tape.js';
import type { GraphNode } from '../graph/types.js';

export const resize: OperatorRule = {
  operator: 'Resize',
  inputs: [1, 4],
  attributes: {
    mode: { kind: 'string', oneOf: ['nearest', 'linear', 'cubic'] },
    coordinate_transformation_mode: {
      kind: 'string',
      oneOf: ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric'],
    },
    nearest_mode: { kind: 'string', oneOf: ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] },
    cubic_coeff_a: { kind: 'float', min: -1, max: 0 },
    exclude_outside: { kind: 'int', min: 0, max: 1 },
    extrapolation_value: { kind: 'float' },
    antialias: { kind: 'int', min: 0, max: 0 },
    keep_aspect_ratio_policy: { kind: 'string', oneOf: ['stretch'] },
  },
  steeringInputs: [1, 2, 3],
  backward: (tape, node, dy) => {
    const x = tape.input(node, 0);
    const [from, to] = [tape.shape(x), tape.shape(tape.output(node))];
    const gradient = from.reduce((value, extent, axis) => {
      const scale = tape.constantNumbers(node.inputs[2])?.[axis];
      const scaled = scale !== undefined && scale !== 1;
      if (extent === to[axis] && !scaled) return value;
      return along(tape, value, axis, from.length, unitResized(tape, node, extent, to[axis] ?? 1, scale));
    }, dy);
    tape.accumulate(x, gradient);
  },
};

/** The matrix [out, in] of one axis, its columns the resized unit vectors. */
function unitResized(tape: Tape, node: GraphNode, extent: number, out: number, scale: number | undefined): string {
  const unit = new Float32Array(extent * extent);
  for (let i = 0; i < extent; i++) unit[i * extent + i] = 1;
  const matrix = tape.builder.constant(float32([extent, extent], unit));
  const attributes = Object.fromEntries(node.attributes);
  const inputs =
    scale === undefined
      ? [matrix, '', '', tape.builder.ints([extent, out])]
      : [matrix, '', tape.builder.constant(float32([2], [1, scale]))];
  return tape.transpose(tape.emit('Resize', inputs, attributes), [1, 0]);
}

/** Multiplies `value` by `matrix` along one axis. */
function along(tape: Tape, value: string, axis: number, rank: number, matrix: string): string {
  const order = Array.from({ length: rank }, (_, at) => at);
  const last = rank - 1;
  if (axis === last) return tape.emit('MatMul', [value, matrix]);
  // Exchanging two axes undoes itself.
  const exchanged = order.map((at) => (at === axis ? last : at === last ? axis : at));
  return tape.transpose(tape.emit('MatMul', [tape.transpose(value, exchanged), matrix]), exchanged);
}
