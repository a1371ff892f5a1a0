import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const VECTOR_ERRORS = defineErrors({
  'vector/bad-layout':
    'A sum layout has no segments, an empty or repeated segment name, or lengths, scales or bounds outside their range. Correct the job file.',
  'vector/overflow':
    'With this cohort the sum of a segment could leave the range of the modulus. Lower the scale or the clip, or raise modulus_bits.',
  'vector/not-finite':
    'A value to be aggregated is NaN or infinite. Training diverged or the records hold such values; the silo does not take part.',
  'vector/out-of-range':
    'A value is outside what its segment declares. The records or the job file are wrong; the silo does not take part.',
});

export type VectorErrorCode = keyof typeof VECTOR_ERRORS;

export class VectorError extends CodedError<VectorErrorCode> {
  constructor(code: VectorErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { category: 'content', ...context });
  }
}
