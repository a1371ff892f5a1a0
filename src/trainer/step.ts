// One compiled graph with its buffers. Inputs and outputs are allocated once: the runtime reads parameters where the optimiser writes
// them, and writes all gradients into one flat vector.

import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { elementCount, STEP_NAMES, type DropoutMask, type StepGraph, type TrainingGraph } from '../model/index.js';
import { Batch } from './batch.js';
import type { MaskSource } from './dropout.js';
import { TrainerError } from './errors.js';
import { RunningStatistics } from './running-statistics.js';
import { openSession, type Runtime } from './runtime.js';

/** What training and evaluation steps share: a batch and the parameters, fed without copies. */
export class Step {
  readonly batch: Batch;
  /** The flat vector that the graph reads; write into it between runs. */
  readonly parameters: Float32Array;
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor> = {};
  readonly #fetches: Record<string, Tensor>;

  protected constructor(
    runtime: Runtime,
    session: InferenceSession,
    graph: StepGraph,
    fetches: Record<string, Tensor>,
    filler?: 'rows',
  ) {
    this.#session = session;
    this.#fetches = fetches;
    this.batch = new Batch(graph, filler);
    const last = graph.parameters.at(-1);
    this.parameters = new Float32Array(last === undefined ? 0 : last.offset + last.length);
    this.#feeds[graph.input.name] = new runtime.Tensor('float32', this.batch.features, graph.input.shape);
    this.#feeds[STEP_NAMES.targets] =
      this.batch.targets instanceof BigInt64Array
        ? new runtime.Tensor('int64', this.batch.targets, graph.targets.shape)
        : new runtime.Tensor('float32', this.batch.targets, graph.targets.shape);
    for (const { name, shape, offset, length } of graph.parameters)
      this.#feeds[name] = new runtime.Tensor('float32', this.parameters.subarray(offset, offset + length), shape);
  }

  protected feed(name: string, tensor: Tensor): void {
    this.#feeds[name] = tensor;
  }

  protected async runOnce(): Promise<void> {
    try {
      await this.#session.run(this.#feeds, this.#fetches);
    } catch {
      // The library's message can quote a record (an index out of bounds, say), so it ends here.
      throw new TrainerError('trainer/runtime', 'a step failed while running on records');
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

export class TrainingStep extends Step {
  /** Gradient of the mean loss of the last batch, flat like the parameters. */
  readonly gradient: Float32Array;
  readonly #loss: Float32Array;
  readonly #statistics: RunningStatistics;
  readonly #masks: readonly (readonly [mask: DropoutMask, values: Float32Array])[];

  private constructor(
    runtime: Runtime,
    session: InferenceSession,
    graph: TrainingGraph,
    gradient: Float32Array,
    loss: Float32Array,
  ) {
    const fetches: Record<string, Tensor> = { [STEP_NAMES.loss]: new runtime.Tensor('float32', loss, []) };
    // One gradient per parameter, in the same order.
    for (const [at, { shape, offset, length }] of graph.parameters.entries())
      fetches[graph.gradients[at] as string] = new runtime.Tensor(
        'float32',
        gradient.subarray(offset, offset + length),
        shape,
      );
    const statistics = new RunningStatistics(graph.statistics);
    for (const [name, shape, values] of statistics.outputs)
      fetches[name] = new runtime.Tensor('float32', values, shape);
    // With statistics of the batch a row acts on the others even at weight 0, so a short last batch is filled up with real rows.
    super(runtime, session, graph, fetches, graph.statistics.length > 0 ? 'rows' : undefined);
    this.gradient = gradient;
    this.#loss = loss;
    this.#statistics = statistics;
    this.#masks = graph.masks.map((mask) => [mask, new Float32Array(elementCount(mask.shape))]);
    for (const [{ name, shape }, values] of this.#masks) this.feed(name, new runtime.Tensor('float32', values, shape));
    this.feed(STEP_NAMES.weights, new runtime.Tensor('float32', this.batch.weights, [graph.batchSize]));
  }

  static async open(runtime: Runtime, graph: TrainingGraph): Promise<TrainingStep> {
    const session = await openSession(runtime, graph.bytes);
    const last = graph.parameters.at(-1);
    const gradient = new Float32Array(last === undefined ? 0 : last.offset + last.length);
    return new TrainingStep(runtime, session, graph, gradient, new Float32Array(1));
  }

  /**
   * Runs the filled batch, with dropout from `masks`; returns its weighted mean loss and leaves the gradient in `gradient`. After the
   * optimiser's step call `settle`.
   */
  async run(masks: Pick<MaskSource, 'fill'>): Promise<number> {
    for (const [mask, values] of this.#masks) masks.fill(values, mask);
    this.#statistics.remember(this.parameters);
    await this.runOnce();
    return this.#loss[0] ?? Number.NaN;
  }

  /** Renews the running statistics in `parameters` from the batch that ran last. */
  settle(): void {
    this.#statistics.renew(this.parameters);
  }
}

export class EvaluationStep extends Step {
  /** Loss of each row of the last batch. */
  readonly rowLosses: Float32Array;
  /** Scores of the last batch, row-major, of the model output's shape. */
  readonly scores: Float32Array;

  private constructor(
    runtime: Runtime,
    session: InferenceSession,
    graph: StepGraph,
    rowLosses: Float32Array,
    scores: Float32Array,
  ) {
    super(runtime, session, graph, {
      [STEP_NAMES.rowLosses]: new runtime.Tensor('float32', rowLosses, [graph.batchSize]),
      [STEP_NAMES.scores]: new runtime.Tensor('float32', scores, graph.outputShape),
    });
    this.rowLosses = rowLosses;
    this.scores = scores;
  }

  static async open(runtime: Runtime, graph: StepGraph): Promise<EvaluationStep> {
    const session = await openSession(runtime, graph.bytes);
    const outputs = graph.outputShape.reduce((product, extent) => product * extent, 1);
    return new EvaluationStep(runtime, session, graph, new Float32Array(graph.batchSize), new Float32Array(outputs));
  }

  async run(): Promise<void> {
    await this.runOnce();
  }
}
