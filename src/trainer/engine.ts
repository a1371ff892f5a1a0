// A model with its compiled graphs. Lives in the trainer's thread; unit tests use it without one.

import {
  assertParameters,
  differentiate,
  evaluationGraph,
  createLoss,
  readForwardModel,
  type ForwardModel,
  type Loss,
  type LossKind,
  type LossSettings,
  type StepGraph,
} from '../model/index.js';
import { TrainerError } from './errors.js';
import { evaluateLocally, type EvaluationRequest, type EvaluationResult } from './evaluation.js';
import type { Prediction } from './holdout-tally.js';
import { openClipper, type OpenedClipper } from './open-clipper.js';
import { trainPrivately } from './private-training.js';
import { trainLocally, type Hooks, type TrainingRequest, type TrainingResult } from './local-training.js';
import { assertWhole, stepsOf } from './recipe.js';
import { loadRuntime, measureShapes, type Runtime } from './runtime.js';
import { EvaluationStep, TrainingStep } from './step.js';
import { checkTable } from './table.js';

const PREDICTION: Readonly<Record<LossKind, Prediction>> = {
  'binary-cross-entropy': 'probability',
  'softmax-cross-entropy': 'class',
  'squared-error': 'value',
  huber: 'value',
  focal: 'probability',
  cox: 'hazard',
};

const BINS_MAX = 65_536;
/** Times and scores make a table of bins by bins. */
const SURVIVAL_BINS_MAX = 256;
const BATCH_MAX = 65_536;
export const SEED_BYTES = 32;

interface Compiled<S> {
  readonly graph: StepGraph;
  readonly step: S;
}

export class Engine {
  readonly model: ForwardModel;
  readonly #loss: Loss;
  readonly #prediction: Prediction;
  readonly #runtime: Runtime;
  // The graphs of the batch size used last: a job keeps to one, and old ones would hold memory.
  #training: Compiled<TrainingStep> | undefined;
  #evaluation: Compiled<EvaluationStep> | undefined;
  #clipper: { readonly key: string; readonly opened: OpenedClipper } | undefined;

  private constructor(model: ForwardModel, loss: LossSettings, runtime: Runtime) {
    this.model = model;
    this.#loss = createLoss(loss);
    this.#prediction = PREDICTION[loss.kind];
    this.#runtime = runtime;
  }

  /** Throws what `readForwardModel` throws, and `model/bad-loss`. `train`: patterns of parameter names, empty for all. */
  static async open(modelBytes: Uint8Array, loss: LossSettings, train: readonly string[] = []): Promise<Engine> {
    const model = readForwardModel(modelBytes, train.length === 0 ? {} : { train });
    return new Engine(model, loss, await loadRuntime());
  }

  /** Compiles both graphs without any record: what can be wrong with model, loss and batch size together shows here. */
  async prepare(batchSize: number): Promise<void> {
    assertWhole('batchSize', batchSize, BATCH_MAX);
    await this.#trainingAt(batchSize);
    await this.#evaluationAt(batchSize);
  }

  async train(request: TrainingRequest, hooks: Hooks): Promise<TrainingResult> {
    stepsOf(request.recipe, Math.max(1, request.table.rows));
    assertParameters(this.model, request.parameters);
    if (request.seed.length !== SEED_BYTES)
      throw new TrainerError(
        'trainer/bad-recipe',
        `a seed of ${String(request.seed.length)} bytes, not ${String(SEED_BYTES)}`,
      );
    if (request.correction !== undefined) assertParameters(this.model, request.correction);
    if (request.privacy !== undefined) {
      const { privacy } = request;
      // The evaluation graph says what the model takes; the graph that clips has a batch size of its own.
      const { graph } = await this.#evaluationAt(request.recipe.batchSize);
      checkTable(request.table, graph);
      const opened = await this.#clipperFor(privacy.expectedUnits, privacy.unitOfRow !== undefined);
      const result = await trainPrivately(opened.clipper, request, privacy, hooks);
      return { ...result, oneByOne: opened.oneByOne };
    }
    const { graph, step } = await this.#trainingAt(request.recipe.batchSize);
    checkTable(request.table, graph);
    return trainLocally(step, request, hooks);
  }

  async evaluate(request: EvaluationRequest, aborted: () => boolean): Promise<EvaluationResult> {
    assertWhole('bins', request.bins, request.longestTime === undefined ? BINS_MAX : SURVIVAL_BINS_MAX);
    assertWhole('batchSize', request.batchSize, BATCH_MAX);
    assertParameters(this.model, request.parameters);
    const { graph, step } = await this.#evaluationAt(request.batchSize);
    checkTable(request.table, graph);
    return evaluateLocally(step, this.#prediction, request, aborted);
  }

  /** As `prepare` for DP-SGD: throws `model/refused` or `model/bad-loss` for a model that mixes records. */
  async preparePrivate(expectedUnits: number, grouped: boolean): Promise<void> {
    await this.#clipperFor(expectedUnits, grouped);
  }

  async #clipperFor(expectedUnits: number, grouped: boolean): Promise<OpenedClipper> {
    const key = `${String(expectedUnits)}/${String(grouped)}`;
    if (this.#clipper?.key === key) return this.#clipper.opened;
    await this.#clipper?.opened.clipper.close();
    this.#clipper = undefined;
    const opened = await openClipper(this.#runtime, this.model, this.#loss, expectedUnits, grouped);
    this.#clipper = { key, opened };
    return opened;
  }

  async close(): Promise<void> {
    await this.#clipper?.opened.clipper.close();
    this.#clipper = undefined;
    await this.#training?.step.close();
    await this.#evaluation?.step.close();
    this.#training = undefined;
    this.#evaluation = undefined;
  }

  async #trainingAt(batchSize: number): Promise<Compiled<TrainingStep>> {
    if (this.#training?.graph.batchSize === batchSize) return this.#training;
    await this.#training?.step.close();
    this.#training = undefined;
    const shapes = await measureShapes(this.#runtime, this.model, batchSize);
    const graph = differentiate(this.model, shapes, this.#loss);
    this.#training = { graph, step: await TrainingStep.open(this.#runtime, graph) };
    return this.#training;
  }

  async #evaluationAt(batchSize: number): Promise<Compiled<EvaluationStep>> {
    if (this.#evaluation?.graph.batchSize === batchSize) return this.#evaluation;
    await this.#evaluation?.step.close();
    this.#evaluation = undefined;
    const shapes = await measureShapes(this.#runtime, this.model, batchSize);
    const graph = evaluationGraph(this.model, shapes, this.#loss);
    this.#evaluation = { graph, step: await EvaluationStep.open(this.#runtime, graph) };
    return this.#evaluation;
  }
}
