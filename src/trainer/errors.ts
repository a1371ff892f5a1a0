// What can stop a training or an evaluation. Messages name shapes, counts and steps, never a record's value.

import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const TRAINER_ERRORS = defineErrors({
  'trainer/bad-data': 'the table of features and targets does not fit the model; check the columns of the job',
  'trainer/not-finite': 'a feature or target is not a finite number; check missing values in the data source',
  'trainer/bad-recipe': 'a number of the recipe is outside its range; correct the job file',
  'trainer/diverged':
    'the loss or a parameter stopped being finite; lower the learning rate or standardise the features',
  'trainer/unclipped':
    'a clipped gradient is longer than the clip; a fault of the program or of the runtime: report it, nothing has been sent',
  'trainer/aborted': 'the caller asked to stop; nothing is wrong',
  'trainer/closed': 'the trainer was closed or its thread ended while work was under way; start it again',
  'trainer/runtime': 'ONNX Runtime refused the graph or failed to run it; the message says where',
});

export type TrainerErrorCode = keyof typeof TRAINER_ERRORS;

export class TrainerError extends CodedError<TrainerErrorCode> {
  override readonly name = 'TrainerError';

  constructor(code: TrainerErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { remedy: TRAINER_ERRORS[code], ...context });
  }
}
