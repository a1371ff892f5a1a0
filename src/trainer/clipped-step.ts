// The compiled graph of one step of DP-SGD (model/clipped.ts) with its buffers.

import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { elementCount, STEP_NAMES, type ClippedGraph, type DropoutMask } from '../model/index.js';
import type { MaskSource } from './dropout.js';
import { openSession, type Runtime } from './runtime.js';
import { Step } from './step.js';

export class ClippedStep extends Step {
  readonly graph: ClippedGraph;
  /** Clipped sum over the units of the batch that ran last, flat like the parameters. */
  readonly sum: Float32Array;
  /** Length of each unit's gradient before it was cut. */
  readonly norms: Float32Array;
  /** [unit, row], 1 where the row belongs to the unit; empty where each row is one. */
  readonly units: Float32Array;
  readonly #clip = new Float32Array(1);
  readonly #loss: Float32Array;
  readonly #masks: readonly (readonly [mask: DropoutMask, values: Float32Array])[];

  private constructor(runtime: Runtime, session: InferenceSession, graph: ClippedGraph) {
    const last = graph.parameters.at(-1);
    const sum = new Float32Array(last === undefined ? 0 : last.offset + last.length);
    const norms = new Float32Array(graph.batchSize);
    const loss = new Float32Array(1);
    const fetches: Record<string, Tensor> = {
      [STEP_NAMES.loss]: new runtime.Tensor('float32', loss, []),
      [STEP_NAMES.norms]: new runtime.Tensor('float32', norms, [graph.batchSize]),
    };
    // One sum per parameter, in the same order.
    for (const [at, { shape, offset, length }] of graph.parameters.entries())
      fetches[graph.gradients[at] as string] = new runtime.Tensor(
        'float32',
        sum.subarray(offset, offset + length),
        shape,
      );
    super(runtime, session, graph, fetches);
    this.graph = graph;
    this.sum = sum;
    this.norms = norms;
    this.units = new Float32Array(graph.grouped ? graph.batchSize ** 2 : 0);
    this.#loss = loss;
    this.#masks = graph.masks.map((mask) => [mask, new Float32Array(elementCount(mask.shape))]);
    for (const [{ name, shape }, values] of this.#masks) this.feed(name, new runtime.Tensor('float32', values, shape));
    this.feed(STEP_NAMES.weights, new runtime.Tensor('float32', this.batch.weights, [graph.batchSize]));
    this.feed(STEP_NAMES.clip, new runtime.Tensor('float32', this.#clip, []));
    if (graph.grouped)
      this.feed(STEP_NAMES.units, new runtime.Tensor('float32', this.units, [graph.batchSize, graph.batchSize]));
  }

  static async open(runtime: Runtime, graph: ClippedGraph): Promise<ClippedStep> {
    return new ClippedStep(runtime, await openSession(runtime, graph.bytes), graph);
  }

  /** Runs the filled batch and leaves the clipped sum in `sum`; returns the weighted sum of its losses. */
  async run(clip: number, masks: Pick<MaskSource, 'fill'>): Promise<number> {
    this.#clip[0] = clip;
    for (const [mask, values] of this.#masks) masks.fill(values, mask);
    await this.runOnce();
    return this.#loss[0] ?? Number.NaN;
  }
}
