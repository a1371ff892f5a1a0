// The main thread's side of training: starts the thread, hands it requests and turns its answers into promises.

import { Worker } from 'node:worker_threads';
import { workerUrl } from '../system/index.js';
import type { LossSettings } from '../model/index.js';
import { TrainerError } from './errors.js';
import type { EvaluationRequest, EvaluationResult } from './evaluation.js';
import { fromFailure } from './failure.js';
import type { Progress, TrainingRequest, TrainingResult } from './local-training.js';
import type { Answer, Command, ModelSummary, Work, WorkerInput } from './messages.js';

export interface TrainerOptions {
  /** A forward model file; read and checked in the thread. */
  readonly model: Uint8Array;
  readonly loss: LossSettings;
  /** Names of the parameters in the vector, `*` for any characters; all when absent or empty. */
  readonly train?: readonly string[];
}

export interface CallOptions {
  /** Stops before the next step; the call then fails with `trainer/aborted`. */
  readonly signal?: AbortSignal;
}

export interface TrainOptions extends CallOptions {
  /** Called about a hundred times during a training. */
  readonly onProgress?: (progress: Progress) => void;
}

interface Pending {
  readonly resolve: (result: TrainingResult | EvaluationResult | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** One model in one thread. Requests queue up; close it to free thread and memory. */
export class Trainer {
  readonly model: ModelSummary;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #nextId = 1;
  #closed = false;

  constructor(worker: Worker, model: ModelSummary) {
    this.#worker = worker;
    this.model = model;
    worker.on('message', (answer: Answer) => {
      this.#receive(answer);
    });
    worker.on('error', (cause) => {
      this.#fail(new TrainerError('trainer/closed', 'the trainer thread failed', { cause }));
    });
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#fail(new TrainerError('trainer/closed', 'the trainer thread ended'));
        resolve();
      });
    });
  }

  /**
   * Compiles the graphs for a batch size without any record, as a check when a job is created. Rejects with `model/refused`,
   * `model/bad-shape`, `trainer/bad-recipe`, `trainer/runtime` or `trainer/closed`.
   */
  async prepare(batchSize: number): Promise<void> {
    await this.#ask({ kind: 'prepare', batchSize });
  }

  /**
   * Trains from `request.parameters` and resolves to the new ones. Rejects with `trainer/bad-data`, `trainer/not-finite`,
   * `trainer/bad-recipe`, `trainer/diverged`, `trainer/aborted`, `trainer/runtime`, `trainer/closed` or a `model/` code.
   */
  async train(request: TrainingRequest, { signal, onProgress }: TrainOptions = {}): Promise<TrainingResult> {
    const result = await this.#ask({ kind: 'train', request }, signal, onProgress);
    // The thread answers a training with its result.
    return result as TrainingResult;
  }

  /** Sums over the rows of a hold-out table. Rejects as `train` does. */
  async evaluate(request: EvaluationRequest, { signal }: CallOptions = {}): Promise<EvaluationResult> {
    const result = await this.#ask({ kind: 'evaluate', request }, signal);
    // The thread answers an evaluation with its result.
    return result as EvaluationResult;
  }

  /** Lets the work under way finish, then ends the thread. Calling it again waits for the same end. */
  async close(): Promise<void> {
    if (!this.#closed) {
      const asked = this.#ask({ kind: 'close' });
      this.#closed = true;
      await asked;
    }
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask(
    work: Work,
    signal?: AbortSignal,
    onProgress?: (progress: Progress) => void,
  ): Promise<TrainingResult | EvaluationResult | undefined> {
    if (this.#closed) throw new TrainerError('trainer/closed', 'the trainer is closed');
    if (signal?.aborted === true) throw new TrainerError('trainer/aborted', 'stopped before it began');
    const id = this.#nextId++;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const abort = (): void => {
      Atomics.store(stop, 0, 1);
    };
    signal?.addEventListener('abort', abort);
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress });
        const command: Command = { id, stop, work };
        this.#worker.postMessage(command);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#pending.delete(id);
    }
  }

  #receive(answer: Answer): void {
    switch (answer.kind) {
      case 'progress':
        this.#pending.get(answer.id)?.onProgress?.(answer.progress);
        break;
      case 'done':
        this.#pending.get(answer.id)?.resolve(answer.result);
        break;
      case 'failed':
        this.#pending.get(answer.id)?.reject(fromFailure(answer.failure));
        break;
      case 'ready':
      case 'refused':
        // createTrainer has dealt with these.
        break;
    }
  }

  #fail(error: TrainerError): void {
    this.#closed = true;
    for (const { reject } of this.#pending.values()) reject(error);
  }
}

/**
 * Starts a thread for one model. Rejects with `model/refused` and its siblings when the model cannot be trained, and with
 * `system/not-built` when the compiled worker is missing.
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const input: WorkerInput = { model: options.model, loss: options.loss, train: options.train ?? [] };
  const worker = new Worker(workerUrl(import.meta.url, './worker.js'), { workerData: input });
  const summary = await new Promise<ModelSummary>((resolve, reject) => {
    worker.once('message', (answer: Answer) => {
      if (answer.kind === 'ready') resolve(answer.summary);
      else if (answer.kind === 'refused') reject(fromFailure(answer.failure));
    });
    worker.once('error', (cause) => {
      reject(new TrainerError('trainer/closed', 'the trainer thread failed to start', { cause }));
    });
  });
  return new Trainer(worker, summary);
}
