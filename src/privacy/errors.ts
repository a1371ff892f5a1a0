// What can be wrong with a question about privacy or with noise, as this room's closed union of codes.

import { CodedError, defineErrors } from '../base/index.js';

export const PRIVACY_ERRORS = defineErrors({
  'privacy/bad-parameter':
    'A number about privacy is outside its range. Give one within the range that the message names.',
  'privacy/out-of-reach':
    'No noise within the limits reaches this epsilon: allow a larger epsilon, fewer steps or a smaller sampling rate.',
  'privacy/bad-sampler':
    'A noise table was asked for a variance outside its range, or its bytes ran out: lower the scale of the sum or correct the job file.',
});

export type PrivacyErrorCode = keyof typeof PRIVACY_ERRORS;

export class PrivacyError extends CodedError<PrivacyErrorCode> {
  override readonly name = 'PrivacyError';

  constructor(code: PrivacyErrorCode, message: string) {
    super(code, message, { category: 'content', remedy: PRIVACY_ERRORS[code] });
  }
}

/** Throws PrivacyError `privacy/bad-parameter` saying what was expected and what came, unless `good`. */
export function demandParameter(good: boolean, name: string, expected: string, came: number): void {
  if (!good) throw new PrivacyError('privacy/bad-parameter', `${name} must be ${expected}, not ${String(came)}.`);
}
