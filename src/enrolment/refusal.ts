// A refusal on its way back: JSON with the stable code. What is no refusal but a fault of the service travels without detail.

import { isCodedError } from '../base/index.js';
import { EnrolmentError, isEnrolmentCode } from './errors.js';

export interface RefusalBody {
  readonly status: number;
  readonly body: string;
}

export function refusalBody(error: unknown): RefusalBody {
  if (!isCodedError(error) || error.category === 'internal')
    return { status: 500, body: JSON.stringify({ code: 'enrolment/busy', message: 'internal error' }) };
  const status = error.category === 'unavailable' ? 503 : error.category === 'limit' ? 413 : 403;
  return { status, body: JSON.stringify({ code: error.code, message: error.message.slice(0, 1000) }) };
}

/** What the service refused with. An answer without a code of ours is not the service's. */
export function refusalFrom(status: number, body: Uint8Array): EnrolmentError {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof value === 'object' && value !== null && 'code' in value && 'message' in value) {
      const { code, message } = value;
      if (typeof code === 'string' && typeof message === 'string') {
        if (isEnrolmentCode(code)) return new EnrolmentError(code, message);
        // Of another room, such as wire/malformed: its text says enough.
        return new EnrolmentError('enrolment/unproven', `${code}: ${message}`);
      }
    }
  } catch {
    // Not JSON: falls through to what is said of every foreign answer.
  }
  return new EnrolmentError('enrolment/bad-answer', `the answer has the status ${String(status)} and no code.`);
}
