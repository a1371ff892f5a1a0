// What passes between the main thread and the trainer's thread. One request is worked on at a time, in order of arrival.

import type { ErrorCategory } from '../base/index.js';
import type { LossSettings, ModelProblem, ParameterSlot } from '../model/index.js';
import type { EvaluationRequest, EvaluationResult } from './evaluation.js';
import type { Progress, TrainingRequest, TrainingResult } from './local-training.js';

export interface WorkerInput {
  readonly model: Uint8Array;
  readonly loss: LossSettings;
  /** Patterns of parameter names; empty for all. */
  readonly train: readonly string[];
}

/** What the main thread learns of the model when it has been read. */
export interface ModelSummary {
  readonly parameters: readonly ParameterSlot[];
  readonly parameterCount: number;
  /** Features of one row. */
  readonly columns: number;
  readonly standardised: boolean;
}

export type Work =
  | { readonly kind: 'prepare'; readonly batchSize: number }
  | { readonly kind: 'train'; readonly request: TrainingRequest }
  | { readonly kind: 'evaluate'; readonly request: EvaluationRequest }
  | { readonly kind: 'close' };

export interface Command {
  readonly id: number;
  /** One shared 32-bit word; other than 0 asks to stop. Shared memory, because the thread does not read messages during a step. */
  readonly stop: Int32Array;
  readonly work: Work;
}

/** An error as plain data; it is an error of its room again on the other side. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly category?: ErrorCategory;
  readonly problems?: readonly ModelProblem[];
}

export type Answer =
  | { readonly kind: 'ready'; readonly summary: ModelSummary }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'done'; readonly id: number; readonly result: TrainingResult | EvaluationResult | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };
