// trainer: runs the graphs of model/ on a silo's records with ONNX Runtime, in a worker thread, so that the program around it keeps
// answering. Deterministic: one thread per session, rows in an order that the seed decides.

export { TRAINER_ERRORS, TrainerError, type TrainerErrorCode } from './errors.js';
export type { EvaluationRequest, EvaluationResult, RowGroups } from './evaluation.js';
export { inspectModel, type Inspection, type InspectionOptions } from './inspection.js';
export type { Progress, TrainingRequest, TrainingResult } from './local-training.js';
export type { ModelSummary } from './messages.js';
export type { PrivateTerms } from './private-terms.js';
export { loadRuntime } from './runtime.js';
export type { TrainingRecipe } from './recipe.js';
export { rowReader, type AnyTable, type ReadRow, type Table } from './table.js';
export { createTrainer, Trainer, type CallOptions, type TrainerOptions, type TrainOptions } from './trainer.js';
