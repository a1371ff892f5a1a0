// Errors across the thread boundary. Structured cloning would keep the text and lose the class and the code.

import { CodedError } from '../base/index.js';
import { MODEL_ERRORS, ModelError, type ModelErrorCode } from '../model/index.js';
import { TRAINER_ERRORS, TrainerError, type TrainerErrorCode } from './errors.js';
import type { Failure } from './messages.js';

export function toFailure(error: unknown): Failure {
  if (error instanceof CodedError) {
    // instanceof forgets that codes are strings.
    const { code, message, category, remedy } = error as CodedError;
    return {
      code,
      message,
      category,
      ...(remedy === undefined ? {} : { remedy }),
      ...(error instanceof ModelError ? { problems: error.problems } : {}),
    };
  }
  // A bug. Its text might quote what it was working on, so only its kind crosses.
  const kind = error instanceof Error ? error.name : typeof error;
  return { code: 'trainer/runtime', message: `unexpected ${kind} in the trainer’s thread` };
}

export function fromFailure({ code, message, remedy, category, problems }: Failure): CodedError {
  const context = { ...(remedy === undefined ? {} : { remedy }), ...(category === undefined ? {} : { category }) };
  if (isModelCode(code)) return new ModelError(code, message, context, problems);
  return new TrainerError(isTrainerCode(code) ? code : 'trainer/runtime', message, context);
}

function isModelCode(code: string): code is ModelErrorCode {
  return Object.hasOwn(MODEL_ERRORS, code);
}

function isTrainerCode(code: string): code is TrainerErrorCode {
  return Object.hasOwn(TRAINER_ERRORS, code);
}
