// What LSTM and GRU share. In training each direction is one matrix product over all time steps, a Scan that also hands out what the
// backward pass needs, and for the gradients a second Scan through time the other way; the gradients of weights are again single
// products outside of the loop, so the graph does not grow with the length of the sequence.

import { defined } from '../../base/index.js';
import { int, ints, numberOf, textOf, textsOf } from '../graph/attribute.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Graph, GraphNode } from '../graph/types.js';
import { noRecordGradient } from '../records/record-gradients.js';
import type { AttributeBound } from './rule.js';
import type { Tape } from './tape.js';

const HIDDEN_MAX = 65_536;

export const RECURRENT_ATTRIBUTES: Readonly<Record<string, AttributeBound>> = {
  hidden_size: { kind: 'int', min: 1, max: HIDDEN_MAX },
  direction: { kind: 'string', oneOf: ['forward', 'reverse', 'bidirectional'] },
  activations: { kind: 'strings', oneOf: ['Sigmoid', 'Tanh'] },
  // 1 puts the batch before time, which the runtime does not implement.
  layout: { kind: 'int', min: 0, max: 0 },
};

/** `pattern`: the activations of one direction, which are the operator's defaults. */
export function recurrentRefusal(node: GraphNode, pattern: readonly string[]): string | undefined {
  if ((node.inputs[4] ?? '') !== '')
    return `${node.operator} with sequence_lens is not trained; pad the sequences and mask what follows their ends`;
  if ((node.inputs[7] ?? '') !== '') return `${node.operator} with peepholes is not trained`;
  const given = textsOf(node, 'activations') ?? [];
  if (!given.every((name, at) => name === pattern[at % pattern.length]))
    return `${node.operator} is trained with its default activations ${pattern.join(', ')} only`;
  return undefined;
}

/** Extents of one node; `gates` is 4 for LSTM and 3 for GRU. */
export interface Extents {
  readonly time: number;
  readonly batch: number;
  readonly columns: number;
  readonly hidden: number;
  readonly gates: number;
}

/** One direction with its own matrices, all without the axis of directions. */
export interface Direction {
  readonly backwards: boolean;
  /** [gates * hidden, columns]. */
  readonly w: string;
  /** [gates * hidden, hidden]. */
  readonly r: string;
  /** [gates * hidden] each: of the input's product and of the recurrent one. */
  readonly wb: string;
  readonly rb: string;
  /** [batch, hidden]. */
  readonly h0: string;
  readonly c0: string;
}

export function extentsOf(tape: Tape, node: GraphNode, gates: number): Extents {
  const [time = 1, batch = 1, columns = 1] = tape.shape(tape.input(node, 0));
  const hidden = numberOf(node, 'hidden_size', tape.shape(tape.input(node, 2))[2] ?? 1);
  return { time, batch, columns, hidden, gates };
}

export function directionsOf(node: GraphNode): readonly boolean[] {
  const direction = textOf(node, 'direction', 'forward');
  return direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
}

/** The matrices of direction `at`, cut out of the node's inputs. */
export function directionOf(
  tape: Tape,
  node: GraphNode,
  at: number,
  { batch, columns, hidden, gates }: Extents,
): Direction {
  const directions = directionsOf(node);
  const part = (position: number, shape: readonly number[]): string => {
    const name = node.inputs[position] ?? '';
    if (name === '') return tape.zeros(shape);
    return tape.reshape(directions.length === 1 ? name : tape.slice(name, [at], [at + 1], [0]), shape);
  };
  const rows = gates * hidden;
  const biases = part(3, [2 * rows]);
  return {
    backwards: directions[at] === true,
    w: part(1, [rows, columns]),
    r: part(2, [rows, hidden]),
    wb: tape.slice(biases, [0], [rows], [0]),
    rb: tape.slice(biases, [rows], [2 * rows], [0]),
    h0: part(5, [batch, hidden]),
    c0: part(6, [batch, hidden]),
  };
}

/** x W^T + bias for all steps at once: [time, batch, gates * hidden]. */
export function projection(tape: Tape, x: string, { w }: Direction, bias: string, e: Extents): string {
  const flat = tape.reshape(x, [e.time * e.batch, e.columns]);
  const product = tape.emit('Gemm', [flat, w, bias], { transB: int(1) });
  return tape.reshape(product, [e.time, e.batch, e.gates * e.hidden]);
}

/** A value of a Scan: its name in the body and, at each step, its shape. */
type Width = number;

export interface ScanPlan {
  /** Carried from step to step: where it starts and its width; all are [batch, width]. */
  readonly states: readonly (readonly [initial: string, width: Width])[];
  /** Read one step at a time: [time, batch, width]. */
  readonly reads: readonly (readonly [sequence: string, width: Width])[];
  /** Widths of what is collected into [time, batch, width]. */
  readonly writes: readonly Width[];
  readonly backwards: boolean;
  /** Emits one step: from states and reads to the next states and what is collected. */
  readonly step: (body: GraphBuilder, states: readonly string[], reads: readonly string[]) => readonly string[];
}

/** Returns the last states, then the collected sequences. */
export function scan(tape: Tape, batch: number, plan: ScanPlan): readonly string[] {
  const body = tape.builder.body();
  const input = ([, width]: readonly [string, Width]): string => body.input(body.name('in'), 'float32', [batch, width]);
  const states = plan.states.map(input);
  const reads = plan.reads.map(input);
  const results = plan.step(body, states, reads);
  const widths = [...plan.states.map(([, width]) => width), ...plan.writes];
  for (const [at, result] of results.entries()) {
    // A value may be handed out twice, or be an input; the format wants a name of its own for each output.
    const name = body.emit('Identity', [result]);
    body.output(name, 'float32', [batch, defined(widths[at], 'the width of an output of a loop')]);
  }
  const graph: Graph = body.graph();
  const direction = (count: number) => ints(Array.from({ length: count }, () => (plan.backwards ? 1 : 0)));
  return tape.builder.emitMany(
    'Scan',
    [...plan.states, ...plan.reads].map(([name]) => name),
    results.length,
    {
      body: { kind: 'graph', value: graph },
      num_scan_inputs: int(plan.reads.length),
      scan_input_directions: direction(plan.reads.length),
      scan_output_directions: direction(plan.writes.length),
    },
  );
}

/** Names the node's outputs from those of its directions: sequences [time, directions, batch, hidden], last states [directions, ..]. */
export function joinOutputs(
  tape: Tape,
  node: GraphNode,
  parts: readonly (readonly [values: readonly string[], axis: number])[],
): void {
  for (const [position, [values, axis]] of parts.entries()) {
    const output = node.outputs[position] ?? '';
    if (output === '') continue;
    const stacked = values.map((value) => tape.emit('Unsqueeze', [value, tape.builder.ints([axis])]));
    tape.builder.emitNamed('Concat', stacked, [output], { axis: int(axis) });
  }
}

/** The gradient of output `position` that belongs to direction `at`, of the given shape; zero where nothing depends on it. */
export function outputGradient(
  tape: Tape,
  node: GraphNode,
  position: number,
  at: number,
  shape: readonly number[],
): string {
  const output = node.outputs[position] ?? '';
  const dy = output === '' ? undefined : tape.gradientOf(output);
  if (dy === undefined) return tape.zeros(shape);
  const axis = position === 0 ? 1 : 0;
  return tape.reshape(directionsOf(node).length === 1 ? dy : tape.slice(dy, [at], [at + 1], [axis]), shape);
}

/** Gradients of one direction, without the axis of directions and, where they are kept by record, with the batch in front. */
export interface DirectionGradients {
  /** Of the projection: [time, batch, gates * hidden]. */
  readonly projected: string;
  /** [gates * hidden, hidden]. */
  readonly r: string;
  /** [gates * hidden]: of the recurrent bias; the projection's own sum where absent. */
  readonly rb?: string;
  readonly h0: string;
  readonly c0?: string;
}

/** Hands the gradients of all directions on to the node's inputs. */
export function accumulateDirections(
  tape: Tape,
  node: GraphNode,
  e: Extents,
  directions: readonly (readonly [Direction, DirectionGradients])[],
): void {
  const [x, w, r] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
  const [, , , b = '', , h0 = '', c0 = ''] = node.inputs;
  const rows = e.gates * e.hidden;
  const stacked = (name: string, pick: (d: Direction, g: DirectionGradients) => string): void => {
    if (!tape.wants(name)) return;
    const axis = tape.keepsRecords(name) ? 1 : 0;
    const parts = directions.map(([d, g]) => tape.emit('Unsqueeze', [pick(d, g), tape.builder.ints([axis])]));
    const joined = tape.emit('Concat', parts, { axis: int(axis) });
    if (axis === 1) tape.records?.addWritten(name, joined);
    else tape.accumulate(name, joined);
  };
  const flat = ({ projected }: DirectionGradients): string => tape.reshape(projected, [e.time * e.batch, rows]);
  if (tape.records !== undefined && [w, r, b].some((name) => tape.wants(name) && !tape.keepsRecords(name)))
    noRecordGradient(`weights of ${node.operator} that depend on records`);
  if ([h0, c0].some((name) => name !== '' && tape.wants(name) && tape.keepsRecords(name)))
    noRecordGradient(`an initial state of ${node.operator} that has the extent of the batch`);
  stacked(w, (_, g) => overTime(tape, e, [g.projected, rows], [x, e.columns]));
  stacked(r, (_, g) => g.r);
  stacked(b, (_, g) => {
    const wb = sumOverTime(tape, e, g.projected, rows);
    return tape.emit('Concat', [wb, g.rb ?? wb], { axis: int(tape.records === undefined ? 0 : 1) });
  });
  stacked(h0, (_, g) => g.h0);
  stacked(c0, (_, g) => defined(g.c0, 'the gradient of an initial cell'));
  if (tape.wants(x))
    for (const [{ w: matrix }, g] of directions)
      tape.accumulate(x, tape.reshape(tape.emit('MatMul', [flat(g), matrix]), [e.time, e.batch, e.columns]));
}

type Sequence = readonly [values: string, width: number];

/**
 * Sum over all steps of the outer products of two sequences, [time, batch, width] each: over the batch too, or for each record where the
 * gradients of parameters are kept by record.
 */
export function overTime(tape: Tape, e: Extents, [a, widthA]: Sequence, [b, widthB]: Sequence): string {
  if (tape.records === undefined) {
    const flat = [tape.reshape(a, [e.time * e.batch, widthA]), tape.reshape(b, [e.time * e.batch, widthB])];
    return tape.emit('Gemm', flat, { transA: int(1) });
  }
  return tape.emit('MatMul', [tape.transpose(a, [1, 2, 0]), tape.transpose(b, [1, 0, 2])]);
}

/** As `overTime` of a sequence alone: [width], or [batch, width]. */
export function sumOverTime(tape: Tape, e: Extents, sequence: string, width: number): string {
  return tape.records === undefined
    ? tape.reshape(tape.sum(tape.reshape(sequence, [e.time * e.batch, width]), [0]), [width])
    : tape.reshape(tape.sum(sequence, [0]), [e.batch, width]);
}

/** Small arithmetic inside a loop's body. */
export function arithmetic(body: GraphBuilder) {
  const one = body.scalar(1);
  const mul = (...factors: readonly string[]): string => factors.reduce((a, b) => body.emit('Mul', [a, b]));
  const add = (a: string, b: string): string => body.emit('Add', [a, b]);
  const sub = (a: string, b: string): string => body.emit('Sub', [a, b]);
  const not = (a: string): string => sub(one, a);
  return {
    mul,
    add,
    sub,
    not,
    sigmoid: (a: string): string => body.emit('Sigmoid', [a]),
    tanh: (a: string): string => body.emit('Tanh', [a]),
    /** g * s (1 - s), s a sigmoid's value. */
    throughSigmoid: (g: string, s: string): string => mul(g, mul(s, not(s))),
    /** g * (1 - t^2), t a tanh's value. */
    throughTanh: (g: string, t: string): string => mul(g, not(mul(t, t))),
    parts: (value: string, widths: readonly number[]): readonly string[] =>
      body.emitMany('Split', [value, body.ints(widths)], widths.length, { axis: int(1) }),
    join: (values: readonly string[]): string => body.emit('Concat', values, { axis: int(1) }),
  };
}
