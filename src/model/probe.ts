// The probe measures shapes. Instead of inferring them here, a graph that exposes every value is run once on zeros by the trainer,
// which owns the runtime, and the result is handed to `differentiate` and `evaluationGraph`.

import type { Measured, Shapes } from './graph/measured.js';
import { staticValues } from './check/static.js';
import type { ForwardModel } from './forward.js';
import { GraphBuilder } from './graph/builder.js';
import { elementCount, type Tensor } from './graph/types.js';
import { predictionGraph } from './predict.js';

export interface Probe {
  /** ONNX bytes; its outputs are every value that a node computes. */
  readonly bytes: Uint8Array;
  /** What to feed: float32 zeros of this shape. */
  readonly feed: { readonly name: string; readonly shape: readonly number[] };
  readonly outputs: readonly string[];
  /** Those outputs that are the same for all records; `measured` keeps their values. */
  readonly statics: ReadonlySet<string>;
  /** Shapes known without running: the input and the initialisers. Add what the run finds for `outputs`. */
  readonly known: Shapes;
}

/** Static values of more elements than this stay nodes of the graph; shapes, axes and masks over positions are smaller. */
const KEPT_ELEMENTS_MAX = 65_536;

/** What the probe's run found for one output, given as the runtime returns it. */
export function measured(probe: Probe, output: string, { type, dims, data }: RuntimeValue): Measured {
  const shape = [...dims];
  // The check admits only the element types that Measured names, and no operator makes another.
  const found = { type: type as Measured['type'], shape };
  const kept = probe.statics.has(output) && elementCount(shape) <= KEPT_ELEMENTS_MAX && ArrayBuffer.isView(data);
  return kept ? { ...found, data: data as Tensor['data'] } : found;
}

/** A tensor of the runtime, as far as it matters here. */
export interface RuntimeValue {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** `batchSize`: rows per step, at least 1. */
export function probeGraph(model: ForwardModel, batchSize: number): Probe {
  const { input } = model;
  const graph = predictionGraph(model.graph);
  const shape = [batchSize, ...input.rowShape];
  const builder = new GraphBuilder(graph.opset);
  builder.input(input.name, 'float32', shape);
  for (const [name, tensor] of graph.initialisers) builder.initialiser(name, tensor);
  for (const node of graph.nodes) builder.copy(node);
  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== '');
  for (const name of outputs) builder.output(name);
  const known: [string, { type: 'float32'; shape: readonly number[] }][] = [[input.name, { type: 'float32', shape }]];
  return {
    bytes: builder.bytes(),
    feed: { name: input.name, shape },
    outputs,
    statics: staticValues(graph, new Set(model.parameters.map((slot) => slot.name))),
    known: new Map([
      ...known,
      ...[...graph.initialisers].map(([name, tensor]) => [name, { type: tensor.type, shape: tensor.shape }] as const),
    ]),
  };
}
