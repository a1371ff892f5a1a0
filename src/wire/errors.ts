import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const WIRE_ERRORS = defineErrors({
  'wire/malformed':
    'Bytes do not parse as the message they were sent as. The sender runs other software, or the bytes were damaged on the way.',
  'wire/too-large': 'A message is larger than its named limit.',
});

export type WireErrorCode = keyof typeof WIRE_ERRORS;

export class WireError extends CodedError<WireErrorCode> {
  constructor(code: WireErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { category: code === 'wire/too-large' ? 'limit' : 'content', ...context });
  }
}
