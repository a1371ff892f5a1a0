// The probe measures shapes. Instead of inferring them here, a graph that exposes every value is run once on zeros by the trainer,
// which owns the runtime, and the result is handed to `differentiate` and `evaluationGraph`.

import type { Shapes } from './autodiff/tape.js';
import type { ForwardModel } from './forward.js';
import { GraphBuilder } from './graph/builder.js';

export interface Probe {
  /** ONNX bytes; its outputs are every value that a node computes. */
  readonly bytes: Uint8Array;
  /** What to feed: float32 zeros of this shape. */
  readonly feed: { readonly name: string; readonly shape: readonly number[] };
  readonly outputs: readonly string[];
  /** Shapes known without running: the input and the initialisers. Add what the run finds for `outputs`. */
  readonly known: Shapes;
}

/** `batchSize`: rows per step, at least 1. */
export function probeGraph(model: ForwardModel, batchSize: number): Probe {
  const { graph, input } = model;
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
    known: new Map([
      ...known,
      ...[...graph.initialisers].map(([name, tensor]) => [name, { type: tensor.type, shape: tensor.shape }] as const),
    ]),
  };
}
