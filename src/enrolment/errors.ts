// Why an enrolment or a renewal does not come about.

import { CodedError, defineErrors, type ErrorCategory, type ErrorContext } from '../base/index.js';

export const ENROLMENT_ERRORS = defineErrors({
  'enrolment/bad-token':
    'The text is not an enrolment token, or a part of it was lost on the way: copy it again as a whole.',
  'enrolment/token-unknown':
    'The authority did not make this token, or has withdrawn it: ask the consortium for a new one, and check that the address is its own.',
  'enrolment/token-expired': 'The token’s time is over: ask the consortium for a new one; compare the clocks too.',
  'enrolment/token-used':
    'The token has enrolled another key already. If that was not this machine, tell the consortium at once: somebody else has your protocol key and a certificate.',
  'enrolment/other-authority':
    'Who answers at the authority’s address is not the authority of the token: check the address and what stands between; if both are right, somebody is intercepting.',
  'enrolment/other-roster': 'The roster of the answer is not the one that the token names: ask the consortium.',
  'enrolment/no-protocol-key':
    'There is no protocol key yet. Make it with `veilsum-agent keys`, send the public half to the consortium for the roster, then ask for a token.',
  'enrolment/not-in-roster':
    'The roster does not name this member, or names another protocol key for it: the consortium makes a roster with the right key first.',
  'enrolment/unproven':
    'The request is not signed by the protocol key that the roster names, or is about something else than this token or certificate.',
  'enrolment/barred':
    'The consortium has barred this member: it gets no certificate any more until `veilsum-ca readmit`.',
  'enrolment/no-certificate': 'A renewal needs a connection with the certificate that is to be renewed.',
  'enrolment/bad-answer':
    'The authority’s answer does not fit the request: it runs other software, or something stands between. Nothing was changed.',
  'enrolment/busy': 'The authority has too much to do or failed by itself: try again later; its log says why.',
  'enrolment/nothing-pending':
    'There is no request that an answer could belong to: run `veilsum-agent enroll --csr` first.',
});

export type EnrolmentErrorCode = keyof typeof ENROLMENT_ERRORS;

const CATEGORY: Partial<Record<EnrolmentErrorCode, ErrorCategory>> = {
  'enrolment/token-expired': 'identity',
  'enrolment/token-unknown': 'identity',
  'enrolment/token-used': 'identity',
  'enrolment/other-authority': 'identity',
  'enrolment/unproven': 'identity',
  'enrolment/no-certificate': 'identity',
  'enrolment/not-in-roster': 'membership',
  'enrolment/barred': 'membership',
  'enrolment/busy': 'unavailable',
};

export class EnrolmentError extends CodedError<EnrolmentErrorCode> {
  override readonly name = 'EnrolmentError';

  constructor(code: EnrolmentErrorCode, message: string, context: Omit<ErrorContext, 'category'> = {}) {
    super(code, message, { remedy: ENROLMENT_ERRORS[code], ...context, category: CATEGORY[code] ?? 'content' });
  }
}

export function isEnrolmentCode(code: string): code is EnrolmentErrorCode {
  return code in ENROLMENT_ERRORS;
}
