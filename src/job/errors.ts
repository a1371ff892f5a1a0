// What can be wrong with the parts of a manifest that say what is computed, as this room's closed union of codes.

import { CodedError, defineErrors } from '../base/index.js';

export const JOB_ERRORS = defineErrors({
  'job/bad-recipe': 'A training recipe has missing, unknown or impossible fields: the message lists every one.',
  'job/bad-contract': 'A data contract has missing, unknown or impossible fields: the message lists every one.',
  'job/bad-update-rule': 'An update rule has missing, unknown or impossible fields: the message lists every one.',
  'job/bad-manifest': 'The parts of a manifest do not fit its kind or each other: the message lists every one.',
  'job/bad-job-file': 'A job file asks for something that no manifest can say: the message lists every field.',
  'job/overflow':
    'A sum over all silos would not fit into the modulus: lower max_rows, name fewer silos or raise modulus_bits.',
  'job/bad-sum': 'An opened sum does not have the layout of its job, or is not one that honest silos can produce.',
  'job/bad-state':
    'Bytes that should be the state of a model are not: the file was damaged, or written by another version.',
  'job/bad-contribution': 'What a silo computed does not fit the layout of its job, or is not finite.',
});

export interface Problem {
  /** Where, in the names of the proto files, e.g. `features[3].minimum`. */
  readonly path: string;
  /** What was expected there. */
  readonly expected: string;
}

export type JobErrorCode = keyof typeof JOB_ERRORS;

export class JobError extends CodedError<JobErrorCode> {
  override readonly name = 'JobError';
  /** Every bad field with its path; empty where the error is not about fields. */
  readonly problems: readonly Problem[];

  constructor(code: JobErrorCode, message: string, problems: readonly Problem[] = []) {
    super(code, message, { category: 'content', remedy: JOB_ERRORS[code] });
    this.problems = problems;
  }
}
